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
import type { EvidenceState, GateState, SignalState } from "./state.ts";

/**
 * Evidence as text for status: at most 4096 bytes for two signals and 16 gates. Versioned; another version's text is not read. One from
 * before gates had evidence of their own is: its gates begin anew.
 */
const VERSION = 1;

const signalText = z.tuple([
  marginNumbers,
  z.number(), // intervals
  z.array(z.number()).max(16), // worse
  z.number(), // worseMost
  z.array(z.number()).max(16), // below
  tally, // canary
  tally, // stable
  tally, // recent
  tally, // known
  z.number(), // correlation
  z.tuple([z.number(), z.number(), z.number(), z.number()]), // weight, weighted, canarySpread, stableSpread
]);
const gateText = z.tuple([
  z.number(), // subject
  z.number(), // lookedMs
  z.int().min(0), // looks
  z.number(), // brokenMost
  z.array(z.number()).max(8), // broken
  z.array(z.number()).max(8), // kept
]);
const checkpoint = z.strictObject({
  v: z.literal(VERSION),
  subject: z.string(),
  end: z.number(),
  signals: perSignal(signalText),
  missing: missingNames,
  gatesEnd: z.number(),
  violations: z.record(z.string(), z.int().min(0)).optional(), // before gates had evidence
  gates: z.record(z.string(), gateText).default({}),
});

const roundGate = (value: number) => Number(value.toPrecision(6));

/** The text that `parseCheckpoint` reads back. */
export function serialiseCheckpoint(state: EvidenceState): string {
  return JSON.stringify({
    v: VERSION,
    subject: state.subject,
    end: state.intervalEndMs,
    signals: mapSignals(state.signals, signalTuple),
    ...namesOfMissing(state),
    gatesEnd: state.gatesFromMs,
    gates: Object.fromEntries(Object.entries(state.gates).map(([name, gate]) => [name, gateTuple(gate)])),
  });
}

/** Evidence from its text; undefined for text of another version or that is no checkpoint, and then evidence starts anew. */
export function parseCheckpoint(text: string): EvidenceState | undefined {
  const parsed = readText(text, checkpoint);
  if (parsed === undefined) return undefined;
  const { subject, end, signals, missing, gatesEnd, gates } = parsed;
  return {
    subject,
    intervalEndMs: end,
    signals: mapSignals(signals, signalOf),
    ...missingOfNames(missing),
    gatesFromMs: gatesEnd,
    gates: Object.fromEntries(Object.entries(gates).map(([name, tuple]) => [name, gateOf(tuple)])),
  };
}

function signalTuple(state: SignalState): z.input<typeof signalText> {
  return [
    numbersOfMargins(state.margins),
    state.intervals,
    state.worse.map(round),
    round(state.worseMost),
    state.below.map(round),
    tallyText(state.canary),
    tallyText(state.stable),
    tallyText(state.recent),
    tallyText(state.known),
    round(state.correlation),
    [round(state.weight), round(state.weighted), round(state.canarySpread), round(state.stableSpread)],
  ];
}

function signalOf(tuple: z.output<typeof signalText>): SignalState {
  const [margins, intervals, worse, worseMost, below, canary, stable, recent, known, correlation, sums] =
    tuple;
  return {
    margins: marginsOfNumbers(margins),
    intervals,
    worse,
    worseMost,
    below,
    canary: tallyOf(canary),
    stable: tallyOf(stable),
    recent: tallyOf(recent),
    known: tallyOf(known),
    correlation,
    weight: sums[0],
    weighted: sums[1],
    canarySpread: sums[2],
    stableSpread: sums[3],
  };
}

function gateTuple({ subject, lookedMs, evidence }: GateState): z.input<typeof gateText> {
  const { looks, brokenMost, broken, kept } = evidence;
  return [subject, lookedMs, looks, roundGate(brokenMost), broken.map(roundGate), kept.map(roundGate)];
}

function gateOf([subject, lookedMs, looks, brokenMost, broken, kept]: z.output<typeof gateText>): GateState {
  return { subject, lookedMs, evidence: { looks, brokenMost, broken, kept } };
}
