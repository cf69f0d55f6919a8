import * as z from "zod";
import {
  mapSignals,
  missingNames,
  missingOfNames,
  namesOfMissing,
  perSignal,
  readText,
  round,
  tally,
  tallyOf,
  tallyText,
} from "./checkpoint-text.ts";
import { marginNumbers, marginsOfNumbers, numbersOfMargins } from "./margin-numbers.ts";
import type { WatchedSignal, WatchState } from "./watch.ts";

/** A watch as text for status, beside the checkpoint of a canary's evidence: whichever of the two a text is, the other does not read it. */
const VERSION = "watch/1";

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
  signals: perSignal(signalText),
  missing: missingNames,
});

/** The text that `parseWatch` reads back. */
export function serialiseWatch(state: WatchState): string {
  return JSON.stringify({
    v: VERSION,
    subject: state.subject,
    end: state.intervalEndMs,
    intervals: state.intervals,
    signals: mapSignals(state.signals, tupleOf),
    ...namesOfMissing(state),
  });
}

/** A watch from its text; undefined for text of another kind or version, and then it begins anew. */
export function parseWatch(text: string): WatchState | undefined {
  const parsed = readText(text, checkpoint);
  if (parsed === undefined) return undefined;
  const { subject, end, intervals, signals, missing } = parsed;
  return {
    subject,
    intervalEndMs: end,
    intervals,
    signals: mapSignals(signals, signalOf),
    ...missingOfNames(missing),
  };
}

function tupleOf(state: WatchedSignal): z.input<typeof signalText> {
  return [
    numbersOfMargins(state.margins),
    tallyText(state.recent),
    tallyText(state.known),
    round(state.correlation),
    state.worse.map((log) => (Number.isFinite(log) ? round(log) : null)),
    round(state.worseMost),
  ];
}

function signalOf(tuple: z.output<typeof signalText>): WatchedSignal {
  const [margins, recent, known, correlation, worse, worseMost] = tuple;
  return {
    margins: marginsOfNumbers(margins),
    recent: tallyOf(recent),
    known: tallyOf(known),
    correlation,
    worse: worse.map((log) => log ?? Number.NEGATIVE_INFINITY),
    worseMost,
  };
}
