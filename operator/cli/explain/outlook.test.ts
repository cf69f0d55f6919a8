import { describe, expect, it } from "vitest";
import { serialiseCheckpoint } from "../../evidence/checkpoint.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { observeInterval } from "../../evidence/observe.ts";
import { startEvidence } from "../../evidence/state.ts";
import { colours } from "../render/colour.ts";
import { explainText } from "../render/explain.ts";
import { SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { explanation } from "./explanation.ts";

const memory = { name: "memory", metric: "MemoryPerPod", maxIncrease: "30%" };
const undecided = (signal: string) => ({ signal, category: "Undecided", message: "m." });

/** Ten intervals of a canary with so many bad ones of 50 requests in each. */
function bridge(bad: number, change: { status?: object; rollout?: object; everyS?: number } = {}) {
  const rollout = { analysis: { gates: [memory] }, ...change.rollout };
  const { analysis } = sampleBridge({ rollout }).spec.rollout;
  const config = evidenceConfig(analysis);
  const counts = { canary: { requests: 50, bad }, stable: { requests: 450, bad: 0 } };
  let state = startEvidence(config, {}, 0);
  for (let index = 1; index <= 10; index++)
    state = observeInterval(state, config, {
      endMs: index * 1000 * (change.everyS ?? 15),
      signals: { errors: counts },
    });
  const evidence = {
    lookedMs: 150_000,
    subject: 1,
    evidence: { looks: 0, broken: [], brokenMost: 0, kept: [] },
  };
  const stored = serialiseCheckpoint({ ...state, gates: { memory: evidence } });
  return sampleBridge({
    rollout,
    status: {
      evidence: { revision: "d04be8", intervalEnd: "2026-11-21T15:48:00Z", state: stored },
      verdicts: [undecided("errors"), undecided("memory")],
      rollout: {
        ...{ phase: "Holding", phaseSince: "2026-11-21T09:00:00Z" },
        ...{ canaryRevision: "d04be8", stableRevision: "7c9f21" },
      },
      ...change.status,
    },
  });
}
const outlooks = (one: ReturnType<typeof bridge>) =>
  explanation(one, SAMPLE_NOW_MS).verdicts.map(({ outlook }) => outlook);

describe("how long until a verdict", () => {
  it("is reckoned from the evidence in status", () => {
    expect(outlooks(bridge(0))).toEqual([
      expect.stringMatching(/^good enough in about \d+[ms].* if it goes on like this$/),
      "passes after 6 more looks within its limits",
    ]);
    expect(outlooks(bridge(5))[0]).toBe("never good enough if it goes on like this");
  });

  it("reckons with the time that its intervals took, and not with that of the spec alone", () => {
    const spanOf = (one: ReturnType<typeof bridge>) => {
      const [, number, unit] = /about (\d+)([ms])/.exec(String(outlooks(one)[0])) ?? [];
      return Number(number) * (unit === "m" ? 60 : 1);
    };
    expect(spanOf(bridge(0, { everyS: 150 }))).toBeGreaterThan(4 * spanOf(bridge(0)));
  });

  it("is said of nothing that is decided, and not by evidence for other margins", () => {
    const proved = [{ ...undecided("errors"), category: "ProvedBelow" }];
    expect(outlooks(bridge(0, { status: { verdicts: proved } }))).toEqual([undefined]);
    const other = { ...bridge(0), spec: sampleBridge({ rollout: { analysis: { interval: "30s" } } }).spec };
    expect(outlooks(other)).toEqual([undefined, undefined]);
  });

  it("stands behind the verdict, and what the source is asked at the end", () => {
    const view = { nowMs: SAMPLE_NOW_MS, colour: colours(false), columns: Number.POSITIVE_INFINITY };
    const text = explainText(bridge(0), view);
    expect(text).toContain("  memory  Undecided  m.  (passes after 6 more looks within its limits)\n");
    expect(text).toContain("What the metric source is asked\n  errors: {__name__=~");
  });
});

describe("what the source is asked", () => {
  it("is of both versions of this bridge alone, over an interval", () => {
    const gates = [memory, { name: "p95", metric: "FirstByteP95", below: "120ms" }];
    const analysis = { latency: { objective: "120ms" }, gates };
    const { queries } = explanation(bridge(0, { rollout: { analysis } }), SAMPLE_NOW_MS);
    expect(queries.map(({ about }) => about)).toEqual(["errors, latency", "gate memory", "gate p95"]);
    expect(queries[0]?.query).toMatch(
      /revision=~"d04be8\|7c9f21",namespace="ai",bridge="chat"\}\[15000ms\]$/,
    );
    expect(queries[1]?.query).toContain('namespace="ai",bridge="chat"');
    expect(queries[2]?.query).toContain("histogram_quantile(0.95");
  });

  it("is nothing while there are no two versions", () => {
    expect(explanation(sampleBridge(), SAMPLE_NOW_MS).queries).toEqual([]);
  });
});
