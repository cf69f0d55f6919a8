import type { GateStatus } from "../../api/v1alpha1/status.ts";
import { clause } from "../../rollout/sentence.ts";
import type { BridgeView } from "../bridge-view.ts";
import { clockText, spanText } from "../render/age.ts";
import type { Coming } from "./coming.ts";

/** Why gates outside keep a canary from going on; undefined where the operator says that they do not. */
export function gatesAnswer({ status, spec, metadata }: BridgeView, nowMs: number): string | undefined {
  const { heldFor, gates = [] } = status.rollout ?? {};
  const isDry = ({ name }: GateStatus) =>
    spec.rollout.gates.some((gate) => gate.name === name && gate.dryRun);
  const of = (state: GateStatus["state"]) => gates.find((gate) => gate.state === state && !isDry(gate));
  const decides = `\`kubectl llmbridge promote ${metadata.name}\` or \`abort\` decides.`;
  const failed = heldFor === "GateFailed" ? of("Failed") : undefined;
  if (failed) return `Gate ${failed.name} has failed${because(failed)}; ${decides}`;
  const without = heldFor === "GateNoData" ? of("NoData") : undefined;
  if (without) return `Gate ${without.name} gave no verdict${because(without)}; ${decides}`;
  const pending = heldFor === "GatePending" ? of("Asked") : undefined;
  if (!pending) return undefined;
  const { name, since, until } = pending;
  const askedMs = Math.max(0, nowMs - Date.parse(since));
  const leftMs = Date.parse(until) - nowMs;
  const left = leftMs > 0 ? ` (${spanText(leftMs)} more)` : "";
  return `Gate ${name} was asked ${spanText(askedMs)} ago and has given no verdict yet${because(pending)}; it has until ${clockText(until, nowMs)}${left}.`;
}

const because = ({ message }: GateStatus): string => (message === undefined ? "" : `: ${clause(message)}`);

const ACTIONS = {
  Pause: "it waits for a person",
  Proceed: "the step is taken without it",
  Rollback: "the canary is rolled back",
} as const;

/** What is done about gates that give no verdict. */
export function gatesWithoutVerdict({ status, spec }: BridgeView): readonly Coming[] {
  return (status.rollout?.gates ?? [])
    .filter(({ state }) => state === "Asked")
    .flatMap(({ name, until }) => {
      const gate = spec.rollout.gates.find((one) => one.name === name);
      if (!gate || gate.dryRun) return [];
      return [
        {
          at: until,
          what: `If gate ${name} gives no verdict until then, ${ACTIONS[gate.noData]} (noData: ${gate.noData}).`,
        },
      ];
    });
}
