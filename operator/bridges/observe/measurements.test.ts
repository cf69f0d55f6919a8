import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { type BaselineQuery, type FleetQuery, failing, type MetricSource } from "../../prometheus/source.ts";
import { measure } from "./measurements.ts";
import type { ObservedPod } from "./pod.ts";

const spec = llmBridgeSpec.parse({
  image: "bridge:1",
  upstreams: [{ name: "main", protocol: "OpenAI", url: "https://upstream.example" }],
});
const NOW = Date.parse("2026-01-01T12:00:00Z");

/** What is asked about the stable version's past while nothing is known of the canary. */
async function askedFor(evidenceSince: string | undefined): Promise<BaselineQuery | undefined> {
  const asked: BaselineQuery[] = [];
  const source: MetricSource = {
    name: "main",
    readFleet: async () => failing("NoData", "none"),
    readIntervals: async () => failing("NoData", "none"),
    async readBaseline(query) {
      asked.push(query);
      return { kind: "ok", value: {} };
    },
  };
  const status = llmBridgeStatus.parse({
    rollout: {
      ...{ phase: "Holding", phaseSince: "2026-01-01T10:00:00Z", step: 0 },
      ...{ stableRevision: "s", canaryRevision: "c", evidenceSince },
    },
  });
  await measure(
    { kind: "ok", value: source },
    {
      ...{ bridge: { namespace: "ai", name: "chat", uid: "u-1" }, spec, status, known: undefined },
      ...{ forecastDue: false, pods: [], nowMs: NOW },
    },
  );
  return asked[0];
}

describe("the fleet", () => {
  it("is asked for by the pods that are to be scraped", async () => {
    const asked: FleetQuery[] = [];
    const source: MetricSource = {
      name: "main",
      async readFleet(query) {
        asked.push(query);
        return failing("NoData", "none");
      },
      readIntervals: async () => failing("NoData", "none"),
      readBaseline: async () => failing("NoData", "none"),
    };
    const pod = (name: string, more: Partial<ObservedPod> = {}): ObservedPod => ({
      ...{ name, uid: name, revision: "s", createdMs: 0, ready: true, terminating: false, finished: false },
      ...{ restarts: 0, deletionCost: 0, touchedGeneration: 0, ...more },
    });
    await measure(
      { kind: "ok", value: source },
      {
        ...{ bridge: { namespace: "ai", name: "chat", uid: "u-1" }, spec, status: llmBridgeStatus.parse({}) },
        ...{ known: undefined, forecastDue: false, nowMs: NOW },
        pods: [pod("a", { ready: false }), pod("b", { terminating: true }), pod("c", { finished: true })],
      },
    );
    expect(asked).toMatchObject([{ pods: ["a"] }]);
  });
});

describe("without a source", () => {
  it.each([
    ["counts on over what is known", "errors 0.1% 1%, 15s over 60000ms", 60_000],
    ["and over the analysis' own intervals", "errors 0.1% 1%, 15s", undefined],
  ])("%s", async (_, subject, scrapeMs) => {
    const question = {
      ...{ bridge: { namespace: "ai", name: "chat", uid: "u-1" }, spec, status: llmBridgeStatus.parse({}) },
      ...{ known: { subject, intervalEndMs: NOW }, forecastDue: false, pods: [], nowMs: NOW },
    };
    const measured = await measure(failing("NoSuchSource", "none"), question);
    expect(measured.scrapeMs).toBe(scrapeMs);
  });
});

describe("the stable version's past", () => {
  it("is that of now before its canary comes", async () => {
    expect(await askedFor(undefined)).toMatchObject({ stable: "s", fromMs: NOW - 1_800_000, toMs: NOW });
  });

  it("ends where the canary came, so that what is counted again from there is in it no second time", async () => {
    const since = Date.parse("2026-01-01T10:00:00Z");
    expect(await askedFor("2026-01-01T10:00:00Z")).toMatchObject({ fromMs: since - 1_800_000, toMs: since });
  });
});
