import type { GateStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { clockText } from "./age.ts";
import type { View } from "./view.ts";
import { padVisible } from "./wrap.ts";

/** A line for each gate of the present step that was asked outside: what it came to, when, and why. */
export function gateLines({ status, spec }: BridgeView, { colour, nowMs }: View): readonly string[] {
  const gates = status.rollout?.gates ?? [];
  const widest = Math.max(0, ...gates.map(({ name }) => name.length));
  return gates.map((gate) => {
    const { name, kind, state, since, until, decidedAt, message } = gate;
    const isDry = spec.rollout.gates.some((one) => one.name === name && one.dryRun);
    const when =
      decidedAt === undefined
        ? `since ${clockText(since, nowMs)}, until ${clockText(until, nowMs)}`
        : `at ${clockText(decidedAt, nowMs)}`;
    return [
      padVisible(name, widest),
      kind,
      isDry ? `${state} (dry run)` : PAINT[state](colour)(state),
      when,
      ...(message === undefined ? [] : [message]),
    ].join("  ");
  });
}

const PAINT: Readonly<Record<GateStatus["state"], (colour: View["colour"]) => (text: string) => string>> = {
  Asked: (colour) => colour.warn,
  Passed: (colour) => colour.good,
  Failed: (colour) => colour.bad,
  NoData: (colour) => colour.warn,
};
