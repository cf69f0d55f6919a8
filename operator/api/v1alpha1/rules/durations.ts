import { durationMs } from "../scalars.ts";
import { celString, isOfKind } from "./cel.ts";
import { type Rule, rule, type SpecPatch } from "./rule.ts";

interface Bound {
  readonly id: string;
  /** Of the field that holds the duration. */
  readonly path: string;
  readonly least: string;
  readonly most: string;
  readonly why: string;
  readonly patch: (value: string) => SpecPatch;
  readonly refused: string;
}

const upstream = (timeouts: Record<string, string>): SpecPatch => ({
  upstreams: [{ name: "m", protocol: "OpenAI", url: "https://models.example/v1", timeouts }],
});

const bounds: readonly Bound[] = [
  {
    id: "interval-bounds",
    path: "spec.rollout.analysis.interval",
    least: "2s",
    most: "10m",
    why: "samples come every few seconds, and a bad canary must be seen within minutes",
    patch: (interval) => ({ rollout: { analysis: { interval } } }),
    refused: "1s",
  },
  {
    id: "objective-bounds",
    path: "spec.rollout.analysis.latency.objective",
    least: "1ms",
    most: "10m",
    why: "these are the ends of the bridge's latency histogram",
    patch: (objective) => ({ rollout: { analysis: { latency: { objective } } } }),
    refused: "1h",
  },
  {
    id: "progress-deadline-bounds",
    path: "spec.rollout.progressDeadline",
    least: "30s",
    most: "24h",
    why: "pods need time to pull an image and start",
    patch: (progressDeadline) => ({ rollout: { progressDeadline } }),
    refused: "5s",
  },
  {
    id: "watch-after-bounds",
    path: "spec.rollout.watchAfter",
    least: "0s",
    most: "24h",
    why: "the version before keeps its pods all that time",
    patch: (watchAfter) => ({ rollout: { watchAfter } }),
    refused: "48h",
  },
  {
    id: "affinity-max-age-bounds",
    path: "spec.rollout.traffic.route.affinity.maxAge",
    least: "1m",
    most: "720h",
    why: "a client comes back after some time, and a cookie must not outlive its rollout by months",
    patch: (maxAge) => ({
      rollout: {
        traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }], affinity: { maxAge } } },
      },
    }),
    refused: "10s",
  },
  {
    id: "gate-deadline-bounds",
    path: "spec.rollout.gates[].deadline",
    least: "5s",
    most: "24h",
    why: "whoever is asked needs some time, and a rollout must not wait for ever",
    patch: (deadline) => ({
      rollout: { gates: [{ name: "quality", webhook: { receiver: "evals" }, deadline }] },
    }),
    refused: "48h",
  },
  {
    id: "gate-timeout-bounds",
    path: "spec.rollout.gates[].webhook.timeout",
    least: "1s",
    most: "1m",
    why: "what takes longer answers wait and is asked again",
    patch: (timeout) => ({
      rollout: { gates: [{ name: "quality", webhook: { receiver: "evals", timeout } }] },
    }),
    refused: "5m",
  },
  {
    id: "demand-window-bounds",
    path: "spec.scaling.demandWindow",
    least: "15s",
    most: "1h",
    why: "demand is averaged over several samples",
    patch: (demandWindow) => ({ scaling: { demandWindow } }),
    refused: "0s",
  },
  {
    id: "connect-timeout-bounds",
    path: "spec.upstreams[].timeouts.connect",
    least: "10ms",
    most: "5m",
    why: "a connection needs some time, and a request must not wait for ever",
    patch: (connect) => upstream({ connect }),
    refused: "0s",
  },
  {
    id: "first-byte-timeout-bounds",
    path: "spec.upstreams[].timeouts.firstByte",
    least: "10ms",
    most: "1h",
    why: "a model needs some time, and a request must not wait for ever",
    patch: (firstByte) => upstream({ firstByte }),
    refused: "0s",
  },
  {
    id: "idle-timeout-bounds",
    path: "spec.upstreams[].timeouts.idle",
    least: "10ms",
    most: "1h",
    why: "tokens come with gaps, and a silent upstream must be noticed",
    patch: (idle) => upstream({ idle }),
    refused: "0s",
  },
];

/** Durations that make no sense outside of bounds. */
export const DURATION_RULES: readonly Rule[] = bounds.map(
  ({ id, path, least, most, why, patch, refused }) => {
    const remedy = ` is outside of ${least} to ${most}: ${why}. Write a duration in between.`;
    return rule<string>({
      id,
      path,
      validation: {
        rule: `!${isOfKind("duration", "self")} || (duration(self) >= duration('${least}') && duration(self) <= duration('${most}'))`,
        message: `This duration${remedy}`,
        messageExpression: `self + ${celString(remedy)}`,
      },
      check: (text) =>
        durationMs(text) >= durationMs(least) && durationMs(text) <= durationMs(most)
          ? undefined
          : text + remedy,
      accepted: { spec: patch(least) },
      refused: { spec: patch(refused) },
      expect: `${refused} is outside of ${least} to ${most}`,
    });
  },
);
