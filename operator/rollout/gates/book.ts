import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { GateStatus, RolloutStatus } from "../../api/v1alpha1/status.ts";
import { atMs, iso } from "../clock.ts";
import type { Context } from "../context.ts";
import type { Told } from "../moves/move.ts";
import { clause } from "../sentence.ts";
import type { Hold, HoldReason, RolloutInput } from "../types.ts";
import type { GateAnswer } from "./answer.ts";
import { digestOf, kindOf } from "./digest.ts";

/**
 * The book of a step's gates, `status.rollout.gates`. A gate is entered before anybody is asked, and its verdict when it is heard. So an operator that
 * takes over asks the same question again, by the same id, and what was decided is never asked twice.
 */

/** The step's gates as the spec defines them, in the order in which the step names them. */
export function gatesOfStep({ spec }: Pick<RolloutInput, "spec">, names: readonly string[]): ExternalGate[] {
  return names.flatMap((name) => spec.gates.find((gate) => gate.name === name) ?? []);
}

/**
 * What was heard is written down; a gate that the step names no longer, or that is defined in another way, is struck out. A refused spec strikes
 * nothing out.
 */
export function heard(context: Context): { gates: RolloutStatus["gates"]; told: readonly Told[] } {
  const { state, input, step } = context;
  if (state.phase !== "Holding" || !state.gates || !input.accepted) return { gates: state.gates, told: [] };
  const told: Told[] = [];
  const gates = state.gates.flatMap((entry) => {
    const gate = gatesOfStep(input, step.gates).find(({ name }) => name === entry.name);
    if (!gate || digestOf(gate) !== entry.digest) return [];
    if (entry.state !== "Asked") return [entry];
    const answer = input.gates?.find(({ name, since }) => name === entry.name && since === entry.since);
    const next = after({ ...entry, until: untilOf(entry, gate) }, gate, answer, context);
    if (next.state !== "Asked") told.push(tellingOf(next, gate, step.name));
    return [next];
  });
  return { gates: gates.length > 0 ? gates : undefined, told };
}

const untilOf = ({ since, clock }: GateStatus, { deadline }: ExternalGate): string =>
  iso((atMs(clock ?? since) ?? 0) + durationMs(deadline));

function after(
  entry: GateStatus,
  { deadline }: ExternalGate,
  answer: GateAnswer | undefined,
  { clockMs, nowMs }: Context,
): GateStatus {
  const said = answer?.message.slice(0, 300);
  const message = said === undefined || said === "" ? entry.message : said;
  const known = message === undefined ? entry : { ...entry, message };
  if (answer && answer.kind !== "Waiting") return { ...known, state: answer.kind, decidedAt: iso(nowMs) };
  if (clockMs < (atMs(entry.until) ?? 0)) return known;
  const last = message === undefined ? "" : `: ${clause(message)}`;
  return {
    ...entry,
    state: "NoData",
    decidedAt: iso(nowMs),
    message: `No verdict within ${deadline}${last}.`.slice(0, 300),
  };
}

const REASONS = { Passed: "GatePassed", Failed: "GateFailed", NoData: "GateNoData" } as const;
const WORDS = { Passed: "has passed", Failed: "has failed", NoData: "gave no verdict" } as const;

function tellingOf({ name, state, message }: GateStatus, { dryRun }: ExternalGate, step: string): Told {
  if (state === "Asked") throw new Error("a gate that was only asked has nothing to tell");
  const because = message === undefined ? "" : `: ${clause(message)}`;
  return {
    action: "Gate",
    reason: REASONS[state],
    message: `Gate ${name} of step ${step} ${WORDS[state]}${dryRun ? " (dry run)" : ""}${because}.`,
  };
}

/** Holds in which a step has all but the verdicts of its gates. */
const GATES_ALONE: readonly (HoldReason | undefined)[] = ["GatePending", "GateNoData"];

/**
 * Gates that are to be asked from now on are entered. Those that are not to wait for the evidence, and those that nobody waits for, as soon as the
 * step's weight is in force.
 */
export function asked(
  { state, input, step, frozen, nowMs }: Context,
  hold: Hold | undefined,
): RolloutStatus["gates"] {
  if (state.phase !== "Holding" || frozen || step.name !== state.stepName) return state.gates;
  const isEvidenceGiven = GATES_ALONE.includes(hold?.reason);
  const due = gatesOfStep(input, step.gates)
    .filter(({ name }) => !state.gates?.some((entry) => entry.name === name))
    .filter(({ begin, dryRun }) => begin === "WithStep" || dryRun || isEvidenceGiven);
  if (due.length === 0) return state.gates;
  const since = iso(nowMs);
  return [
    ...(state.gates ?? []),
    ...due.map((gate): GateStatus => {
      const { name, deadline } = gate;
      const until = iso(nowMs + durationMs(deadline));
      return { name, kind: kindOf(gate), digest: digestOf(gate), since, until, state: "Asked" };
    }),
  ];
}

/** When gates that have no verdict yet run out of time. */
export const gateTimes = ({ state: { gates = [] } }: Context): (number | undefined)[] =>
  gates.filter(({ state }) => state === "Asked").map(({ until }) => atMs(until));
