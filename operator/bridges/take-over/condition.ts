import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { ConditionState } from "../conditions.ts";
import type { Snapshot } from "../snapshot.ts";
import { TAKEN_OVER } from "./observed.ts";
import { isComplete, type TakeOverView } from "./view.ts";

const type = "TakenOver";

/** How far the take-over is, what is judged of it, and who may undo it from elsewhere. None where nothing is taken over. */
export function takenOver(
  { status }: Pick<Snapshot, "status">,
  view: TakeOverView | undefined,
  state: RolloutStatus | undefined,
): ConditionState[] {
  if (!view) return [];
  const { objection, names } = view;
  if (objection) return [{ type, status: "False", reason: objection.reason, message: objection.message }];
  if (!view.seen || view.stage === "Released")
    return status.conditions.filter((one) => one.type === type).map((said) => ({ ...said, type }));
  const old = `Deployment "${names.deployment}"`;
  if (isComplete(view, state)) return [complete(view, old)];
  const serves = state?.stableRevision === TAKEN_OVER;
  const message = serves
    ? `${old} serves as the stable version until a canary is promoted. ${UNJUDGED}`
    : `${old} has handed over to revision ${state?.stableRevision ?? ""} and its pods end.`;
  return [
    {
      type,
      status: "False",
      reason: serves ? "ServesAsStable" : "HandsOver",
      message: `${message}${rewritten(view)}`,
    },
  ];
}

/** What there is to judge a canary by whose stable version tells nothing. */
export const UNJUDGED =
  "It exports no metrics of a bridge, so errors and latency of the canary cannot be compared with it: containers of the canary and gates with a limit of their own (below, above) are judged, and a step whose analysis is Required waits for a person.";

function complete(view: TakeOverView, old: string): ConditionState {
  const { replicas = 0 } = view.seen?.deployment ?? {};
  if (replicas > 0)
    return {
      type,
      status: "False",
      reason: "ScaledAgain",
      message: `${old} was scaled to ${replicas} again, though it gets no requests any more; whoever does so should write 0.${rewritten(view)}`,
    };
  const gone = view.seen?.deployment ? `is scaled to 0` : "is deleted";
  return {
    type,
    status: "True",
    reason: "Complete",
    message: `${old} has handed over and ${gone}. Deleting the bridge now gives its ${view.replicasBefore} pods and its Services back; take spec.takeOver out to let go of them.`,
  };
}

function rewritten({ seen }: TakeOverView): string {
  const { deployedBy } = seen?.deployment ?? {};
  if (deployedBy === undefined) return "";
  return ` ${deployedBy} deployed it: applying that again scales it again, so set its replicas to 0 there too.`;
}
