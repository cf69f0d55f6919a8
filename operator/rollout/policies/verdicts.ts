import type { Context } from "../context.ts";
import type { GateVerdict, SignalVerdict, Verdicts } from "../types.ts";

/**
 * The verdicts by which something is done. Without a working metrics source there are none, whatever was judged before: missing data neither passes a
 * version nor withdraws it.
 */
export function usableVerdicts({ input }: Context): Verdicts {
  return input.metrics.available ? input.verdicts : { kind: "NoData", message: input.metrics.message };
}

/** The verdicts by which a version is held: what was proved worse stays so, whether the source answers now or not. */
export const heldVerdicts = ({ input }: Context): Verdicts => input.verdicts;

/** Why a version that is proved worse has not left, as the end of a sentence. */
export const whyNotLeft = ({ input }: Context): string =>
  input.spec.onFailure === "Pause" || input.metrics.available
    ? "onFailure is Pause"
    : "it is rolled back when there are metrics again";

const isJudged = ({ step }: Context): boolean => step.analysis !== "None";

export type Signal = "errors" | "latency";

export function signalVerdict(
  context: Context,
  signal: Signal,
  verdicts = usableVerdicts(context),
): SignalVerdict | undefined {
  return verdicts.kind === "Judged" && isJudged(context) ? verdicts[signal] : undefined;
}

export function violatedGate(context: Context, verdicts = usableVerdicts(context)): GateVerdict | undefined {
  return verdicts.kind === "Judged" && isJudged(context)
    ? verdicts.gates.find((gate) => gate.category === "Violated")
    : undefined;
}

/** What the change detector has found of a promoted version, if anything. */
export function alarmOf(verdicts: Verdicts) {
  return verdicts.kind === "Watched" ? verdicts.alarms[0] : undefined;
}
