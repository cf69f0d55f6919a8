import { freshValue, mean, type PodReading } from "./reading.ts";

/** What the ready pods carry together. */
export interface Demand {
  kind: "Known";
  /** Ready pods, and how many of them have a fresh reading. */
  ready: number;
  known: number;
  /** Requests and streams in progress in the known pods: mean over the demand window, and over the last seconds. */
  streams: number;
  recentStreams: number;
  /** Sum of event-loop utilisation over the known pods, scaled up to those that do not report it. */
  elu: number;
  /** Requests that one pod takes at full utilisation, by its upstreams. */
  capacity: number;
}

/** No ready pod has a fresh reading: nothing may be concluded. */
export type DemandReading = Demand | { kind: "Missing"; ready: number };

/**
 * Below this mean the event loop says nothing about capacity: probes and timers weigh as much as requests.
 * Twice as much per pod would still be within a target of 60%.
 */
const TELLING_ELU = 0.3;

/** Adds up the demand of every ready pod (F5): the sum does not depend on how many pods there are, so growth cannot feed itself. */
export function readDemand(readings: readonly PodReading[], nowMs: number): DemandReading {
  const ready = readings.filter((reading) => reading.ready);
  const known = ready.flatMap((reading) => {
    const streams = freshValue(reading, "inFlight", nowMs);
    const capacity = freshValue(reading, "capacity", nowMs);
    if (streams === undefined || capacity === undefined || capacity === 0) return [];
    const recent = freshValue(reading, "inFlightRecent", nowMs) ?? streams;
    return [{ streams, capacity, recent, elu: freshValue(reading, "elu", nowMs) }];
  });
  const capacity = mean(known.map((pod) => pod.capacity));
  if (capacity === undefined) return { kind: "Missing", ready: ready.length };
  const elu = mean(known.flatMap((pod) => (pod.elu === undefined ? [] : [pod.elu])));
  return {
    kind: "Known",
    ready: ready.length,
    known: known.length,
    streams: known.reduce((sum, pod) => sum + pod.streams, 0),
    recentStreams: known.reduce((sum, pod) => sum + pod.recent, 0),
    elu: (elu ?? 0) * known.length,
    capacity,
  };
}

/** Demand of all ready pods under an assumption about those without a reading. */
export interface Load {
  streams: number;
  /** Demand in fully utilised pods. */
  pods: number;
  /** Requests that one pod can take: what its upstreams allow, or less where the event loop is the limit. */
  capacity: number;
  boundBy: "Concurrency" | "EventLoop";
}

/**
 * Demand in fully utilised pods. A pod at event-loop utilisation u with n streams takes n / u at most, so capacity is
 * min(maxConcurrency, n / u), taken over all pods together once the loop is busy enough to tell.
 */
function loadOf(
  { streams, elu, pods }: { streams: number; elu: number; pods: number },
  capacity: number,
): Load {
  const byConcurrency = streams / capacity;
  if (elu < TELLING_ELU * pods || elu <= byConcurrency)
    return { streams, pods: byConcurrency, capacity, boundBy: "Concurrency" };
  return { streams, pods: elu, capacity: streams / elu, boundBy: "EventLoop" };
}

/** F5: pods without a reading carry what the others carry on the mean. For growing. */
export function loadForGrowth(demand: Demand, streams: number): Load {
  const scale = demand.ready / demand.known;
  return loadOf({ streams: streams * scale, elu: demand.elu * scale, pods: demand.ready }, demand.capacity);
}

/** F5: pods without a reading carry the target. For shrinking. */
export function loadForShrinking(demand: Demand, streams: number, target: number): Load {
  const missing = (demand.ready - demand.known) * target;
  return loadOf(
    { streams: streams + missing * demand.capacity, elu: demand.elu + missing, pods: demand.ready },
    demand.capacity,
  );
}

/** F5 and F6: pods that carry the load at the target, and with z standard deviations of a Poisson number of streams to spare. */
export function podsNeeded(load: Load, target: number, z: number): number {
  const headroom = load.streams > 0 ? load.pods * (1 + z / Math.sqrt(load.streams)) : load.pods;
  return Math.max(load.pods / target, headroom);
}

/** F7: true if the last seconds lie two standard deviations above the mean of the demand window. */
export function isBurst(demand: Demand): boolean {
  return demand.recentStreams > demand.streams + 2 * Math.sqrt(Math.max(1, demand.streams));
}
