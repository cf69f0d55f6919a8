import type { Context } from "../context.ts";
import type { GateVerdict, SignalVerdict, Verdicts } from "../types.ts";

/**
 * The verdicts as policies may use them. Without a working metrics source there are none, whatever was judged before: missing data neither passes a
 * version nor withdraws it.
 */
export function usableVerdicts({ input }: Context): Verdicts {
  return input.metrics.available ? input.verdicts : { kind: "NoData", message: input.metrics.message };
}

const isJudged = ({ step }: Context): boolean => step.analysis !== "None";

export type Signal = "errors" | "latency";

export function signalVerdict(context: Context, signal: Signal): SignalVerdict | undefined {
  const verdicts = usableVerdicts(context);
  return verdicts.kind === "Judged" && isJudged(context) ? verdicts[signal] : undefined;
}

export function violatedGate(context: Context): GateVerdict | undefined {
  const verdicts = usableVerdicts(context);
  return verdicts.kind === "Judged" && isJudged(context)
    ? verdicts.gates.find((gate) => gate.category === "Violated")
    : undefined;
}
