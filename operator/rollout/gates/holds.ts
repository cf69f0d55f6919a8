import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import type { GateStatus } from "../../api/v1alpha1/status.ts";
import { atMs, second } from "../clock.ts";
import type { Context } from "../context.ts";
import type { Policy } from "../policies/first.ts";
import { clause } from "../sentence.ts";
import type { Hold } from "../types.ts";
import { gatesOfStep } from "./book.ts";

/** A gate of the present step that counts, with its entry; undefined where nobody was asked yet. */
interface Acting {
  readonly gate: ExternalGate;
  readonly entry: GateStatus | undefined;
}

/** Without those that only run dry. */
export function actingGates({ input, state, step }: Context): Acting[] {
  return gatesOfStep(input, step.gates)
    .filter(({ dryRun }) => !dryRun)
    .map((gate) => ({ gate, entry: state.gates?.find(({ name }) => name === gate.name) }));
}

/** "quality (3 of 40 answers are worse)". */
export const gateText = ({ gate: { name }, entry }: Acting): string =>
  entry?.message === undefined ? name : `${name} (${clause(entry.message)})`;

/** Only seen under `onFailure: Pause`; otherwise the canary has left by now. */
export const failedOutside: Policy<Hold> = (context) => {
  const failed = actingGates(context).find(({ entry }) => entry?.state === "Failed");
  return (
    failed && { reason: "GateFailed", message: `Gate ${gateText(failed)} has failed; onFailure is Pause.` }
  );
};

/**
 * A step is left when each of its gates has passed, or gave no verdict and is to be passed over then.
 * @param remedy what a person does about a gate that gave none
 */
export function verdictsOutside(context: Context, remedy: string): Hold | undefined {
  const gates = actingGates(context);
  const without = gates.find(({ gate, entry }) => entry?.state === "NoData" && gate.noData !== "Proceed");
  if (without)
    return { reason: "GateNoData", message: `Gate ${gateText(without)} gave no verdict; ${remedy}` };
  const pending = gates.find(({ entry }) => entry === undefined || entry.state === "Asked");
  if (!pending) return undefined;
  const until = atMs(pending.entry?.until);
  const limit = until === undefined ? "" : `; it has until ${second(until)}`;
  return { reason: "GatePending", message: `Gate ${gateText(pending)} has given no verdict yet${limit}.` };
}
