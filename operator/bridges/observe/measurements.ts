import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { Baseline } from "../../evidence/baseline.ts";
import { countedOverMs } from "../../evidence/counted-over.ts";
import { failing, type MetricSource, type PodReading, type Reading } from "../../prometheus/source.ts";
import { comparedPair, judgedPair } from "../../rollout/watch.ts";
import type { BridgeRef } from "../names.ts";
import { type EvidenceReading, pastEndMs, readEvidence, readPast } from "./evidence.ts";
import type { ObservedPod } from "./pod.ts";

/** What a metric source tells of one bridge in one pass. */
export interface Measurements {
  /** Every pod, newest. */
  readonly fleet: Reading<readonly PodReading[]>;
  /** Intervals or the baseline for the evidence; undefined while no canary is judged. */
  readonly evidence: EvidenceReading | undefined;
  /** The stable version's past, read now and then while nothing is rolled out. */
  readonly forecast: Reading<Baseline> | undefined;
  /** See MetricSource.scrapeIntervalMs. Without a source it is what the evidence that is known was counted over, where that is longer than the analysis asks for. */
  readonly scrapeMs: number | undefined;
}

/** What to ask for. */
export interface Question {
  readonly bridge: BridgeRef;
  readonly spec: LLMBridgeSpec;
  readonly status: LLMBridgeStatus;
  /** What was counted of the version that is judged, and until when; undefined where nothing is known of it. */
  readonly known: { readonly subject: string; readonly intervalEndMs: number } | undefined;
  /** The stable version's past is due to be looked at. */
  readonly forecastDue: boolean;
  readonly pods: readonly ObservedPod[];
  readonly nowMs: number;
}

/** Counters are differenced and gauges averaged over this for alerts and demand, unless the spec asks for longer. */
const LEAST_WINDOW_MS = 15_000;

/** What there is where the spec cannot be read: it would say where to ask. */
export const UNMEASURED: Measurements = {
  fleet: failing("NoData", "The spec cannot be read, so no metrics are."),
  evidence: undefined,
  forecast: undefined,
  scrapeMs: undefined,
};

/** Asks everything at once. Rejects for nothing that a source does. */
export async function measure(source: Reading<MetricSource>, question: Question): Promise<Measurements> {
  if (source.kind === "failing") return failed(source, question);
  const { bridge, spec, nowMs } = question;
  const pods = question.pods.filter((pod) => !pod.terminating && !pod.finished).map(({ name }) => name);
  const windowMs = Math.max(LEAST_WINDOW_MS, durationMs(spec.scaling.demandWindow));
  const [fleet, evidence, forecast] = await Promise.all([
    source.value.readFleet({ namespace: bridge.namespace, bridge: bridge.name, atMs: nowMs, windowMs, pods }),
    evidenceOf(source.value, question),
    forecastOf(source.value, question),
  ]);
  return { fleet, evidence, forecast, scrapeMs: source.value.scrapeIntervalMs };
}

function failed(
  source: Reading<MetricSource> & { kind: "failing" },
  { status, known }: Question,
): Measurements {
  const canary = judgedCanary(status);
  return {
    fleet: source,
    evidence: canary === undefined ? undefined : { kind: "Intervals", canary, reading: source },
    forecast: undefined,
    // Told otherwise, a watch would have another number of intervals, and another threshold, for as long as there is no source.
    scrapeMs: known && countedOverMs(known.subject),
  };
}

/**
 * Evidence is gathered for the canary of the stored state beside its stable version, and for a promoted version beside the one before; what started
 * it is decided, not observed.
 */
export const judgedCanary = ({ rollout }: LLMBridgeStatus): string | undefined => judgedPair(rollout)?.canary;

async function evidenceOf(source: MetricSource, question: Question): Promise<EvidenceReading | undefined> {
  const { bridge, spec, status, known, pods, nowMs } = question;
  const pair = comparedPair(status.rollout, spec.rollout);
  if (pair === undefined) return undefined;
  const { canary, stable, reference } = pair;
  return readEvidence(source, {
    namespace: bridge.namespace,
    bridge: bridge.name,
    stable,
    canary,
    reference,
    analysis: spec.rollout.analysis,
    countedThroughMs: known?.intervalEndMs,
    readyPods: pods
      .filter((pod) => pod.ready && [reference, canary].includes(pod.revision))
      .map((pod) => pod.name),
    pastEndMs: pastEndMs(status.rollout, nowMs),
    nowMs,
  });
}

async function forecastOf(source: MetricSource, question: Question): Promise<Reading<Baseline> | undefined> {
  const { bridge, spec, status, nowMs } = question;
  const { stableRevision } = status.rollout ?? {};
  const isResting = judgedPair(status.rollout) === undefined;
  if (!question.forecastDue || !isResting || stableRevision === undefined) return undefined;
  const { namespace, name } = bridge;
  return readPast(source, { namespace, bridge: name, stable: stableRevision }, spec.rollout.analysis, nowMs);
}
