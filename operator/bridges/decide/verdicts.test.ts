import { describe, expect, it } from "vitest";
import { rollout } from "../../api/v1alpha1/rollout.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import type { GateVerdict } from "../../evidence/gates.ts";
import { judge } from "../../evidence/judge.ts";
import { observeInterval } from "../../evidence/observe.ts";
import { startEvidence } from "../../evidence/state.ts";
import type { Evidence } from "./evidence.ts";
import { rolloutVerdicts, verdictStatuses } from "./verdicts.ts";

/** Fifty slow requests of a hundred, and no error. */
function slowCanary(dryRun: boolean): Evidence {
  const { analysis } = rollout.parse({ analysis: { latency: { objective: "120ms", dryRun } } });
  const config = evidenceConfig(analysis);
  const counts = (bad: number) => ({ canary: { requests: 100, bad }, stable: { requests: 100, bad: 0 } });
  const state = observeInterval(startEvidence(config, {}, 0), config, {
    endMs: 15_000,
    signals: { errors: counts(0), latency: counts(50) },
  });
  return {
    config,
    canary: "b",
    state,
    verdicts: judge(state, config),
    missing: undefined,
    intervalMs: 15_000,
  };
}
const gate = (name: string, dryRun: boolean): GateVerdict => ({
  gate: name,
  metric: "MemoryPerPod",
  category: "Violated",
  dryRun,
  looks: 11,
  canary: 2 ** 20,
  message: "MemoryPerPod of the canary is proved to break below 1Ki.",
});

describe("what only runs dry", () => {
  const gates = [gate("memory", false), gate("tried", true)];

  it("is not told to the rollout", () => {
    expect(rolloutVerdicts(slowCanary(false), gates)).toMatchObject({
      latency: { category: "ProvedWorse" },
      gates: [{ name: "memory" }],
    });
    expect(rolloutVerdicts(slowCanary(true), gates)).not.toHaveProperty("latency");
  });

  it("is shown as such, with all that others show", () => {
    expect(verdictStatuses(slowCanary(true), gates)).toMatchObject([
      { signal: "errors", samples: 100 },
      { signal: "latency", category: "ProvedWorse", dryRun: true, samples: 100 },
      { signal: "memory", category: "Violated", samples: 11, estimate: "1Mi" },
      { signal: "tried", category: "Violated", dryRun: true },
    ]);
    const acting = verdictStatuses(slowCanary(false), [gate("memory", false)]);
    expect(acting.some((one) => "dryRun" in one)).toBe(false);
  });
});
