import { second } from "./clock.ts";
import type { Context } from "./context.ts";
import { shareText } from "./plan.ts";
import type { Hold } from "./types.ts";
import { watchEndsMs } from "./watch.ts";

/** One sentence: what the bridge does now and until when. No counters that move by themselves, so that the text is quiet. */
export function summaryOf(context: Context, hold: Hold | undefined): string {
  const { state, step, stable, needed } = context;
  const at = `step ${step.name} (${shareText(step)})`;
  const because = hold ? `. ${quiet(hold)}` : ".";
  const limit =
    context.target.limit === "MaxPods"
      ? " (the share of pods is the nearest that maxReplicas and budgets allow)"
      : "";
  switch (state.phase) {
    case "Pending":
      return clip(`Starting the first version, revision ${state.canaryRevision ?? "unknown"}${because}`);
    case "Stable":
      return clip(serving(stable.ready, needed, state.stableRevision) + restarting(context) + also(hold));
    case "Preparing":
      return clip(`Preparing canary ${state.canaryRevision} for ${at}${limit}${because}`);
    case "Stepping":
      return clip(`Moving canary ${state.canaryRevision} to ${at}${limit}${because}`);
    case "Holding":
      return clip(`Holding canary ${state.canaryRevision} at ${at}${limit}${because}`);
    case "Promoting":
      return clip(
        `Promoted revision ${state.stableRevision}; its predecessor stays until it has all its pods.`,
      );
    case "Watching":
      return clip(
        `Watching revision ${state.stableRevision} after its promotion until ${second(watchEndsMs(context))}; revision ${state.previousRevision} stays ready to return to.${hold ? ` ${quiet(hold)}` : ""}`,
      );
    case "Draining":
      return clip(
        `Serving: revision ${state.stableRevision} is promoted; pods of older revisions are ending.${also(hold)}`,
      );
    case "Aborting":
      return clip(`Withdrawing canary ${state.canaryRevision}${reason(context)}${because}`);
    case "Aborted":
      return clip(`${serving(stable.ready, needed, state.stableRevision)}${also(hold)}`);
  }
}

const serving = (ready: number, needed: number, revision: string | undefined): string =>
  `Serving: ${Math.min(ready, needed)} of ${needed} pods of revision ${revision} are ready.`;

/** What is done beside it at rest. */
const restarting = ({ state: { restart } }: Context): string =>
  restart ? ` Pods made before ${restart.before} are being replaced.` : "";

const also = (hold: Hold | undefined): string => (hold ? ` ${hold.message}` : "");

/** Evidence changes its numbers at every interval; they stand in the verdicts, and here only what they come to. */
function quiet({ reason, message }: Hold): string {
  if (reason === "Undecided") return "The evidence does not decide yet.";
  if (reason === "GateUndecided") return "A gate has not passed yet.";
  if (reason === "ProvedWorse") return "The canary is proved worse; onFailure is Pause.";
  if (reason === "GatePending") return "A gate has given no verdict yet.";
  if (reason === "GateFailed") return "A gate has failed; onFailure is Pause.";
  if (reason === "GateNoData")
    return "A gate gave no verdict; `kubectl llmbridge promote` or `abort` decides.";
  if (reason === "GateViolated") return "A gate is violated; onFailure is Pause.";
  if (reason === "NoData") return "There is nothing to judge by yet.";
  if (reason === "NoDataTooLong")
    return "Nothing to judge by for too long; `kubectl llmbridge promote` or `abort` decides.";
  if (reason === "Inconclusive")
    return "Undecided long after the hold; `kubectl llmbridge promote` or `abort` decides.";
  return message;
}

const reason = ({ state }: Context): string => (state.failed ? ` (${state.failed.reason})` : "");

const clip = (text: string): string => (text.length > 300 ? `${text.slice(0, 297)}...` : text);
