import { durationMs } from "../api/v1alpha1/scalars.ts";
import { baselineStaysUntilMs } from "./baseline.ts";
import { atMs } from "./clock.ts";
import type { Context } from "./context.ts";
import { hasCanary } from "./describe.ts";
import { gateTimes } from "./gates/book.ts";
import { holdEndsMs, inconclusiveAtMs, noDataAtMs } from "./policies/inconclusive.ts";
import { deadlineMs } from "./policies/withdraw.ts";
import { restartEndsMs } from "./restart.ts";
import { patienceEndsMs } from "./traffic.ts";
import { watchEndsMs } from "./watch.ts";

/** The next moment at which time alone changes what is decided; undefined if only an event can. */
export function wakeAt(context: Context): number | undefined {
  const { restart } = context.state;
  const restartTimes = restart ? [restartEndsMs(restart, context.input)] : [];
  const times = [
    ...faultTimes(context),
    ...phaseTimes(context),
    context.baseline.wantedReplicas > 0 ? context.router.baselineLeftAtMs(context) : undefined,
    ...restartTimes,
    context.input.fleet?.freeze?.untilMs,
  ];
  const ahead = times.filter(
    (ms): ms is number => ms !== undefined && ms > context.nowMs && Number.isFinite(ms),
  );
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

function faultTimes(context: Context): number[] {
  const { faults } = context.state.phase === "Watching" ? context.stable : context.canary;
  return hasCanary(context) || context.state.phase === "Watching"
    ? faults.map((fault) => fault.decisiveAtMs)
    : [];
}

function lateAfter(since: string | undefined, { spec }: Context["input"]): number | undefined {
  const sinceMs = atMs(since);
  return sinceMs === undefined ? undefined : sinceMs + durationMs(spec.progressDeadline);
}

function phaseTimes(context: Context): (number | undefined)[] {
  const { state, input, frozen } = context;
  const late = lateAfter(state.waitingSince, input);
  const settled = context.router.settlesAtMs(context);
  switch (state.phase) {
    case "Pending":
      return [late];
    case "Promoting":
      return [late, settled];
    case "Preparing":
    case "Stepping":
      return frozen ? [] : [deadlineMs(context), lateAfter(state.stableWaitingSince, input), settled];
    case "Holding":
      return frozen
        ? []
        : [
            ...[deadlineMs(context), holdEndsMs(context), inconclusiveAtMs(context), noDataAtMs(context)],
            ...gateTimes(context),
          ];
    case "Watching":
      return [watchEndsMs(context)];
    case "Aborting":
      return [patienceEndsMs(context), baselineStaysUntilMs(context), settled];
    case "Stable":
    case "Draining":
    case "Aborted":
      return [];
  }
}
