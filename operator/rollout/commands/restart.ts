import type { Command } from "../../api/v1alpha1/commands.ts";
import { iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { CAN_RESTART, oldPods, surgeOf } from "../restart.ts";
import { answer, type Obedience, refuse, speaksOfAnother } from "./obedience.ts";

/** Replaces every pod of the stable version that is there now, by eviction, a few at a time beside as many new ones. */
export function restart(context: Context, command: Command): Obedience {
  const { state, nowMs, needed } = context;
  const { maxPods, maxPodsBy } = context.input.capacity;
  if (!CAN_RESTART.includes(state.phase) || state.stableRevision === undefined)
    return refuse(
      command,
      state.canaryRevision === undefined
        ? "Nothing is stable yet; its pods are new."
        : `A canary of revision ${state.canaryRevision} is on its way; its end replaces pods too. Restart after it.`,
    );
  if (command.revision !== state.stableRevision)
    return refuse(command, speaksOfAnother(command, `the stable one is ${state.stableRevision}`));
  // By the API server's clock, which says when pods were made, in whole seconds: where the operator's is ahead, new pods would be old for as long.
  const { podsMadeMs = [] } = context.stable;
  const before = iso(Math.max(0, ...podsMadeMs) + 1000);
  const restart = { before, since: iso(nowMs), left: 0 };
  const left = oldPods(context.stable, restart);
  if (left === 0) return refuse(command, "The stable version has no pods to replace.");
  if (surgeOf(context) === 0)
    return refuse(
      command,
      `All ${maxPods} pods that fit within ${maxPodsBy} are needed or still ending (${needed} serve), so that none can start beside them; raise ${maxPodsBy} to fit at least one more.`,
    );
  return {
    ...answer(
      command,
      "Done",
      `${left} pods of revision ${state.stableRevision} are replaced one after the other.`,
    ),
    change: { restart: { ...restart, left } },
    told: {
      action: "Restart",
      reason: "Command",
      message: `A person asked for it: pods of revision ${state.stableRevision} made before ${restart.before} are replaced.`,
    },
  };
}
