/** What the administrator lets the bridges of a fleet do; the settings file's part `fleet` has this shape. */

export const WEEKDAYS = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface Freeze {
  readonly name: string;
  /** Names, or "*" for all. */
  readonly namespaces: readonly string[];
  /** What a person's `promote` is worth while it lasts. */
  readonly promote: "Refuse" | "Allow";
  /** RFC 3339; given together with `to`, or else `weekly` is. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly weekly?: Weekly | undefined;
}

export interface Weekly {
  /** Days on which it begins. */
  readonly days: readonly Weekday[];
  /** "16:00" by the clocks of the time zone. */
  readonly from: string;
  /** Not above `from`: of the next day. "24:00" is the end of the day. */
  readonly to: string;
  /** IANA name. */
  readonly timeZone: string;
}

export interface FleetRules {
  readonly maxRollouts?: number | undefined;
  readonly maxRolloutsPerNamespace?: number | undefined;
  readonly freezes: readonly Freeze[];
}

export const NO_RULES: FleetRules = { freezes: [] };
