import { faultText } from "../faults.ts";
import { first, type Policy } from "./first.ts";
import { alarmOf, usableVerdicts } from "./verdicts.ts";
import { alert, decisiveFault } from "./withdraw.ts";
import type { Withdrawal } from "./withdrawal.ts";

/** Why a promoted version is left for the one before it, if it is: the first policy that says so. */
export const whyRecall: Policy<Withdrawal> = (context) => first(POLICIES, context);

/** Nothing has to be proved of a version that served until a moment ago. */
const reverted: Policy<Withdrawal> = ({ input: { accepted, desired }, state }) =>
  accepted && desired.revision === state.previousRevision
    ? {
        reason: "Reverted",
        message: `the spec is back at revision ${desired.revision}, which was stable before`,
      }
    : undefined;

const containerFault: Policy<Withdrawal> = ({ stable, nowMs }) => {
  const fault = decisiveFault(stable.faults, nowMs);
  return fault && { reason: fault.reason, message: faultText(fault) };
};

const alarm: Policy<Withdrawal> = (context) => {
  if (context.input.spec.onFailure !== "Rollback") return undefined;
  const raised = alarmOf(usableVerdicts(context));
  return (
    raised && {
      reason: raised.signal === "errors" ? "ErrorsProvedWorse" : "LatencyProvedWorse",
      message: raised.message,
    }
  );
};

const POLICIES: readonly Policy<Withdrawal>[] = [reverted, containerFault, alert, alarm];
