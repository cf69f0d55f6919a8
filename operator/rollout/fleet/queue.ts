import type { Command } from "../../api/v1alpha1/commands.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import { whyNotStart } from "../policies/start.ts";
import type { Hold } from "../types.ts";
import { turnSince } from "./facts.ts";
import { freezeSentence } from "./holds.ts";

const OF_THE_FLEET: readonly Hold["reason"][] = ["FleetFreeze", "FleetOrder", "FleetLimit"];

/**
 * The note that a change waits for the fleet. Its time stands while it waits, whatever revision the spec comes to ask for, and whatever part of the
 * fleet's rules is in its way; who waits for something of their own has no turn to keep.
 */
export function queuedFor({ state, input, nowMs }: Context, hold: Hold): RolloutStatus["queued"] {
  if (!OF_THE_FLEET.includes(hold.reason)) return undefined;
  const { queued } = state;
  const { revision } = input.desired;
  const since = turnSince(queued?.since, nowMs);
  return queued?.revision === revision && queued.released ? { ...queued, since } : { revision, since };
}

/** A `promote` of a change that was not started: it releases it from a freeze, where the administrator allows that, and from nothing else. */
export function releaseStart(
  context: Context,
  command: Command,
): { refused: string } | { queued: NonNullable<RolloutStatus["queued"]>; message: string } {
  const { state, input } = context;
  const { queued } = state;
  if (!queued) return { refused: "There is no canary to promote." };
  if (command.revision !== queued.revision)
    return {
      refused: `The command speaks of revision ${command.revision}, but revision ${queued.revision} waits.`,
    };
  const freeze = input.fleet?.freeze;
  if (!freeze)
    return {
      refused: whyNotStart(context)?.message ?? "Nothing is in its way; the canary starts by itself.",
    };
  const refused = refusedByFreeze(context);
  if (refused !== undefined) return { refused };
  return {
    queued: { ...queued, released: true },
    message: `Revision ${queued.revision} is released from freeze "${freeze.name}"; its canary starts as soon as nothing else is in its way.`,
  };
}

/** What a person's `promote` is answered in a freeze that nobody may override. */
export function refusedByFreeze({ input }: Context): string | undefined {
  const freeze = input.fleet?.freeze;
  if (freeze?.promote !== "Refuse") return undefined;
  return `${freezeSentence(freeze)} \`promote: Allow\` in the operator's settings would let it through; \`abort\` is always possible.`;
}
