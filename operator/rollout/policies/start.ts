import type { Context } from "../context.ts";
import { afterOthers, frozenStart, noPlace } from "../fleet/holds.ts";
import { wantsBaseline } from "../known-good.ts";
import type { Hold } from "../types.ts";
import { first, type Policy } from "./first.ts";

/** Why the revision that the spec asks for is not started; the first policy that says so. Only asked where it is not the stable one. */
export const whyNotStart: Policy<Hold> = (context) => first(POLICIES, context);

const accepted: Policy<Hold> = ({ input }) =>
  input.accepted
    ? undefined
    : { reason: "NotAccepted", message: "The spec is refused; the running version stays." };

const failed: Policy<Hold> = ({ state, input }) =>
  state.failed?.revision !== input.desired.revision
    ? undefined
    : {
        reason: "Failed",
        message: `Revision ${state.failed.revision} was rolled back (${state.failed.reason}); change the spec, or try it again with \`kubectl llmbridge retry\`.`,
      };

const paused: Policy<Hold> = ({ input }) =>
  input.spec.paused
    ? {
        reason: "Paused",
        message: "It is paused (spec.rollout.paused); `kubectl llmbridge resume` starts the canary.",
      }
    : undefined;

const alert: Policy<Hold> = ({ input: { alerts } }) =>
  alerts.hold && {
    reason: "AlertHold",
    message: `Alert ${alerts.hold.name} asks to hold: ${alerts.hold.message}`,
  };

/** Without pods and traffic no canary proves anything; the change waits until the bridge is scaled up. */
const needed: Policy<Hold> = ({ needed }) =>
  needed > 0
    ? undefined
    : { reason: "NoPodsNeeded", message: "No pods are asked for; the canary starts when there are." };

const tooFewPods: Policy<Hold> = (context) => {
  const refusal = context.router.refusal(context);
  return refusal && { reason: "TooFewPods", message: `${refusal.path}: ${refusal.message}` };
};

/** A canary needs at least one pod beside those that serve, and its baseline another; with fewer, capacity would have to fall. */
const room: Policy<Hold> = (context) => {
  const { input, needed, room } = context;
  const isWhole = input.spec.strategy === "BlueGreen";
  const besides = !isWhole && wantsBaseline(context);
  const beside = isWhole ? needed : besides ? 2 : 1;
  if (room >= needed + beside) return undefined;
  const { maxPods, maxPodsBy } = input.capacity;
  if (isWhole && maxPods < 2 * needed)
    return {
      reason: "NoRoom",
      message: `BlueGreen needs ${needed} pods beside the ${needed} that serve, but ${maxPods} fit within ${maxPodsBy}; raise ${maxPodsBy} to fit ${2 * needed}, or set spec.rollout.strategy to Canary.`,
    };
  const message =
    whyNoneFits(context, besides) ?? "The canary starts when pods of older revisions have ended.";
  return { reason: "NoRoom", message };
};

/** Why no canary fits beside the pods that serve, nor its baseline where it is to have one, whichever other pods end; undefined where they would. */
export function whyNoneFits({ input, needed }: Context, withBaseline: boolean): string | undefined {
  const { maxPods, maxPodsBy } = input.capacity;
  const least = needed + (withBaseline ? 2 : 1);
  if (maxPods >= least) return undefined;
  const atLeast = withBaseline
    ? `${least}, with a canary and its baseline, or set spec.rollout.baseline to Stable`
    : `${least}`;
  return `${maxPods > needed ? `${needed} of the` : "All"} ${maxPods} pods that fit within ${maxPodsBy} are needed to serve; raise ${maxPodsBy} to fit at least ${atLeast}.`;
}

const route: Policy<Hold> = (context) => context.router.whyNotStart(context);

const POLICIES: readonly Policy<Hold>[] = [
  ...[accepted, failed, paused, alert, needed, tooFewPods, room, route],
  ...[frozenStart, afterOthers, noPlace],
];
