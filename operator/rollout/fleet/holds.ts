import { second } from "../clock.ts";
import type { Context } from "../context.ts";
import type { Hold, HoldReason } from "../types.ts";
import type { FreezeInForce } from "./freeze.ts";

/** What the fleet keeps a rollout from doing. Never asked of an abort, nor of a first version. */

const until = ({ untilMs }: FreezeInForce): string =>
  untilMs === undefined ? "" : ` until ${second(untilMs)}`;

export const freezeSentence = (freeze: FreezeInForce): string =>
  `Freeze "${freeze.name}" of the administrator holds rollouts${until(freeze)}.`;

const hold = (reason: HoldReason, message: string | undefined): Hold | undefined =>
  message === undefined ? undefined : { reason, message };

/** No step is left in a freeze, but by a person where the administrator allows it. */
export function frozenStep({ input, state, step }: Context): Hold | undefined {
  const freeze = input.fleet?.freeze;
  if (!freeze || (state.approvedStep === step.name && freeze.promote === "Allow")) return undefined;
  return hold("FleetFreeze", freezeSentence(freeze));
}

/** A canary whose start was released from a freeze also enters the Service in it. */
export const frozenEntry = (context: Context): Hold | undefined =>
  isReleasedStart(context) ? undefined : frozenStep(context);

export const frozenStart = (context: Context): Hold | undefined => {
  const freeze = context.input.fleet?.freeze;
  return freeze && !isReleasedStart(context) ? hold("FleetFreeze", freezeSentence(freeze)) : undefined;
};

function isReleasedStart({ state, input }: Context): boolean {
  const { queued } = state;
  const meant = queued?.released === true && queued.revision === input.desired.revision;
  return meant && input.fleet?.freeze?.promote === "Allow";
}

export const afterOthers = ({ input }: Context): Hold | undefined => hold("FleetOrder", input.fleet?.order);

/** Last of all reasons, so that nobody who could not start anyway keeps a place in the order of turns. */
export const noPlace = ({ input }: Context): Hold | undefined => hold("FleetLimit", input.fleet?.limit);
