import type { Context } from "../context.ts";
import { faultText } from "../faults.ts";
import { usableVerdicts } from "./verdicts.ts";
import { alert, decisiveFault, type Withdrawal } from "./withdraw.ts";

type Policy = (context: Context) => Withdrawal | undefined;

/** Why a promoted version is left for the one before it, if it is: the first policy that says so. */
export function whyRecall(context: Context): Withdrawal | undefined {
  for (const policy of POLICIES) {
    const withdrawal = policy(context);
    if (withdrawal) return withdrawal;
  }
  return undefined;
}

/** Nothing has to be proved of a version that served until a moment ago. */
const reverted: Policy = ({ input: { accepted, desired }, state }) =>
  accepted && desired.revision === state.previousRevision
    ? {
        reason: "Reverted",
        message: `the spec is back at revision ${desired.revision}, which was stable before`,
      }
    : undefined;

const containerFault: Policy = ({ stable, nowMs }) => {
  const fault = decisiveFault(stable.faults, nowMs);
  return fault && { reason: fault.reason, message: faultText(fault) };
};

const alarm: Policy = (context) => {
  if (context.input.spec.onFailure !== "Rollback") return undefined;
  const raised = alarmOf(context);
  return (
    raised && {
      reason: raised.signal === "errors" ? "ErrorsProvedWorse" : "LatencyProvedWorse",
      message: raised.message,
    }
  );
};

/** What the change detector has found, if anything. */
export function alarmOf(context: Context) {
  const verdicts = usableVerdicts(context);
  return verdicts.kind === "Watched" ? verdicts.alarms[0] : undefined;
}

const POLICIES: readonly Policy[] = [reverted, containerFault, alert, alarm];
