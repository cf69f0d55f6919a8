import { type FleetRules, type Freeze, WEEKDAYS, type Weekly } from "./rules.ts";
import { momentsOf, wallDay } from "./wall-time.ts";

/** A freeze that is in force. */
export interface FreezeInForce {
  readonly name: string;
  readonly promote: Freeze["promote"];
  /** When no freeze is in force any more; undefined where each is followed by another. */
  readonly untilMs: number | undefined;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const DAY_MS = 86_400_000;
/** So many freezes that follow upon each other without a gap have no end that anybody would wait for. */
const LONGEST_CHAIN = 16;

/**
 * The freeze that holds the rollouts of a namespace. Where several do, one that lets nobody override it is named first. Its end is that of the last
 * of those that follow upon each other, so that a Friday evening, a weekend and a Monday morning written apart are one.
 */
export function freezeInForce(
  rules: FleetRules,
  namespace: string,
  nowMs: number,
): FreezeInForce | undefined {
  const relevant = rules.freezes.filter(({ namespaces }) =>
    namespaces.some((one) => one === "*" || one === namespace),
  );
  const now = relevant.filter((freeze) => spanAt(freeze, nowMs) !== undefined);
  const first = now.find(({ promote }) => promote === "Refuse") ?? now[0];
  if (!first) return undefined;
  return { name: first.name, promote: first.promote, untilMs: endOf(relevant, nowMs) };
}

function endOf(freezes: readonly Freeze[], nowMs: number): number | undefined {
  let end = nowMs;
  for (let links = 0; links < LONGEST_CHAIN; links += 1) {
    const ends = freezes.flatMap((freeze) => spanAt(freeze, end)?.toMs ?? []);
    if (ends.length === 0) return end;
    end = Math.max(...ends);
  }
  return undefined;
}

function spanAt(freeze: Freeze, ms: number): Span | undefined {
  const spans = freeze.weekly ? spansAround(freeze.weekly, ms) : absolute(freeze);
  return spans.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
}

function absolute({ from, to }: Freeze): readonly Span[] {
  if (from === undefined || to === undefined) return [];
  return [{ fromMs: Date.parse(from), toMs: Date.parse(to) }];
}

/**
 * The spans that begin today and on the two days before, by the clocks of the zone. Where the clocks are changed the longest reading counts: from the
 * first time that they show `from` to the last that they show `to`.
 */
function spansAround({ days, from, to, timeZone }: Weekly, ms: number): readonly Span[] {
  const today = wallDay(timeZone, ms);
  const begin = minutesOf(from);
  const end = minutesOf(to) > begin ? minutesOf(to) : minutesOf(to) + DAY_MS / 60_000;
  return [today - 2 * DAY_MS, today - DAY_MS, today]
    .filter((day) => days.some((one) => one === WEEKDAYS[new Date(day).getUTCDay()]))
    .map((day) => ({
      fromMs: Math.min(...momentsOf(timeZone, day, begin)),
      toMs: Math.max(...momentsOf(timeZone, day, end)),
    }));
}

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  return hours * 60 + minutes;
}
