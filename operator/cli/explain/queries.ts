import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { countedSelector, ownMatchers } from "../../prometheus/counting.ts";
import { percentileQuery, plainQuery } from "../../prometheus/fleet-queries.ts";
import { range } from "../../prometheus/promql.ts";
import { isBaseline } from "../../rollout/baseline.ts";
import { comparedPair } from "../../rollout/watch.ts";
import type { BridgeView } from "../bridge-view.ts";

/** What the operator asks the metric source for a verdict, to be tried there by hand. */
export interface EvidenceQuery {
  readonly about: string;
  readonly query: string;
}

/** As the settings file has them unless it says otherwise; what it adds to every selector only its owner sees. */
const LABELS = { namespace: "namespace", pod: "pod" };
const GATE_WINDOW_MS = 60_000;
const PERCENTILE_GATES: readonly string[] = ["FirstByteP95", "TotalP95"];

/** Queries by which the versions that are compared now are judged; none while there are no two. */
export function evidenceQueries({ metadata, status, spec }: BridgeView): readonly EvidenceQuery[] {
  const pair = comparedPair(status.rollout, spec.rollout);
  if (pair === undefined) return [];
  const revisions = [pair.canary, pair.reference];
  const { latency, gates, interval } = spec.rollout.analysis;
  const own = ownMatchers(LABELS.namespace, metadata.namespace ?? "", metadata.name);
  const objective = latency && { signal: latency.signal, objectiveMs: durationMs(latency.objective) };
  const counted = countedSelector(objective, revisions, own);
  const percentiles = gates.filter(({ metric }) => PERCENTILE_GATES.includes(metric));
  const plain = gates.filter(({ metric }) => !PERCENTILE_GATES.includes(metric));
  const beside = isBaseline(pair.reference) ? ", beside the baseline" : "";
  const named = (of: typeof gates) =>
    `${of.length === 1 ? "gate" : "gates"} ${of.map(({ name }) => name).join(", ")}`;
  return [
    {
      about: `${latency ? "errors, latency" : "errors"}${beside}`,
      query: range(counted, durationMs(interval)),
    },
    ...(plain.length === 0 ? [] : [{ about: named(plain), query: plainQuery(own, GATE_WINDOW_MS) }]),
    ...(percentiles.length === 0
      ? []
      : [{ about: named(percentiles), query: percentileQuery(own, LABELS.pod, GATE_WINDOW_MS) }]),
  ];
}
