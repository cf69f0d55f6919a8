import * as z from "zod";
import { SIGNALS } from "./counts.ts";
import { marginNumbers, marginsOfNumbers, numbersOfMargins } from "./margin-numbers.ts";
import type { WatchedSignal, WatchState } from "./watch.ts";

/** A watch as text for status, beside the checkpoint of a canary's evidence: whichever of the two a text is, the other does not read it. */
const VERSION = "watch/1";

const tally = z.tuple([z.number(), z.number()]);
const signalText = z.tuple([
  marginNumbers,
  tally, // recent
  tally, // known
  z.number(), // correlation
  // A sum of logarithms of nothing is minus infinity, which JSON does not have.
  z.array(z.number().nullable()).max(16), // worse
  z.number(), // worseMost
]);
const checkpoint = z.strictObject({
  v: z.literal(VERSION),
  subject: z.string(),
  end: z.number(),
  intervals: z.int().min(0),
  signals: z.strictObject(
    Object.fromEntries(SIGNALS.map((signal) => [signal, signalText.optional()])) as Record<
      (typeof SIGNALS)[number],
      z.ZodOptional<typeof signalText>
    >,
  ),
});

/** Digits kept of each number: what is lost is far below what decides. */
const round = (value: number) => Number(value.toPrecision(9));

/** The text that `parseWatch` reads back. */
export function serialiseWatch(state: WatchState): string {
  return JSON.stringify({
    v: VERSION,
    subject: state.subject,
    end: state.intervalEndMs,
    intervals: state.intervals,
    signals: Object.fromEntries(
      SIGNALS.flatMap((signal) => {
        const watched = state.signals[signal];
        return watched === undefined ? [] : [[signal, tupleOf(watched)]];
      }),
    ),
  });
}

/** A watch from its text; undefined for text of another kind or version, and then it begins anew. */
export function parseWatch(text: string): WatchState | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = checkpoint.safeParse(json);
  if (!parsed.success) return undefined;
  const { subject, end, intervals, signals } = parsed.data;
  return {
    subject,
    intervalEndMs: end,
    intervals,
    signals: Object.fromEntries(
      SIGNALS.flatMap((signal) => {
        const tuple = signals[signal];
        return tuple === undefined ? [] : [[signal, signalOf(tuple)]];
      }),
    ),
  };
}

function tupleOf(state: WatchedSignal): z.input<typeof signalText> {
  const pair = ({ requests, bad }: { requests: number; bad: number }): [number, number] => [
    round(requests),
    round(bad),
  ];
  return [
    numbersOfMargins(state.margins),
    pair(state.recent),
    pair(state.known),
    round(state.correlation),
    state.worse.map((log) => (Number.isFinite(log) ? round(log) : null)),
    round(state.worseMost),
  ];
}

function signalOf(tuple: z.output<typeof signalText>): WatchedSignal {
  const [margins, recent, known, correlation, worse, worseMost] = tuple;
  const of = ([requests, bad]: [number, number]) => ({ requests, bad });
  return {
    margins: marginsOfNumbers(margins),
    recent: of(recent),
    known: of(known),
    correlation,
    worse: worse.map((log) => log ?? Number.NEGATIVE_INFINITY),
    worseMost,
  };
}
