/** Wall clocks of time zones, by the zone data of Node; pure, since the zone is always named. */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Making a formatter costs far more than using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric" } as const;
  const made = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone, hourCycle: "h23", minute: "numeric", second: "numeric" },
    ...fields,
  });
  formatters.set(timeZone, made);
  return made;
}

export function isTimeZone(timeZone: string): boolean {
  try {
    formatterOf(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of the zone show, written as if it were UTC. */
export function wallMs(timeZone: string, ms: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Start of the day that the clocks of the zone show, written as if it were UTC. */
export const wallDay = (timeZone: string, ms: number): number =>
  Math.floor(wallMs(timeZone, ms) / DAY_MS) * DAY_MS;

/**
 * The moments at which the clocks show that time, earliest first. Where they are put back there are two; where they are put forward
 * past it none, and what they would have shown before and after the change is given.
 */
export function momentsOf(timeZone: string, wallDayMs: number, minutes: number): number[] {
  const wall = wallDayMs + minutes * MINUTE_MS;
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((near) => wallMs(timeZone, near) - near);
  const readings = [...new Set(offsets)].map((offset) => wall - offset).sort((a, b) => a - b);
  const shown = readings.filter((ms) => wallMs(timeZone, ms) === wall);
  return shown.length > 0 ? shown : readings;
}
