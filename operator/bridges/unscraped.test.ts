import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { World } from "./testing/world.ts";

const spec = (noData: object = {}): LLMBridgeSpecInput => ({
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { minReplicas: 3, maxReplicas: 9, demandWindow: "15s" },
  rollout: {
    steps: [
      { name: "quarter", weight: 25, hold: "5m" },
      { name: "all", weight: 100, hold: "5m" },
    ],
    analysis: { interval: "10s", noData },
    watchAfter: "10m",
  },
});

/** A canary that holds at its first step, and the name of one of its pods. */
function holding(noData?: object): { world: World; pod: string } {
  const world = new World(spec(noData));
  world.run("30s");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  for (let i = 0; i < 60 && world.status.phase !== "Holding"; i += 1) world.run("2s");
  const { canaryRevision } = world.status.rollout ?? {};
  return { world, pod: world.pods.find(({ revision }) => revision === canaryRevision)?.name ?? "" };
}

const metrics = ({ status }: World) => status.conditions.find(({ type }) => type === "MetricsAvailable");

describe("a source that is scraped less often than the analysis counts", () => {
  it("has its requests counted between two scrapes, which Accepted says", () => {
    const world = new World(spec());
    world.scrapeMs = 60_000;
    world.run("30s");
    const accepted = () => world.status.conditions.find(({ type }) => type === "Accepted")?.message;
    const said =
      "Requests are counted over 60s, the scrapeInterval of the metric source, which is longer than spec.rollout.analysis.interval (10s).";
    expect(accepted()).toBe(`The spec is valid and permitted. ${said}`);
    world.edit((before) => ({ ...before, image: "bridge:2" }));
    for (let i = 0; i < 90 && world.status.phase !== "Holding"; i += 1) world.run("2s");
    const sinceMs = Date.parse(world.status.rollout?.evidenceSince ?? "");
    world.run("3m");
    const countedMs = Date.parse(world.status.evidence?.intervalEnd ?? "") - sinceMs;
    expect(countedMs).toBeGreaterThan(0);
    expect(countedMs % 60_000).toBe(0);
    expect(metrics(world)?.status).toBe("True");
    world.scrapeMs = 10_000;
    world.run("2s");
    expect(accepted()).toBe("The spec is valid and permitted.");
  });
});

describe("a series that the source does not have", () => {
  const errors = "The metric source has no series of errors.";

  it("holds the step whatever was proved before, is named between two readings and after a restart", () => {
    const { world } = holding();
    world.run("2m");
    expect(world.status.verdicts).toMatchObject([{ signal: "errors", category: "ProvedBelow" }]);
    world.missing = { errors };
    world.run("20s");
    for (let i = 0; i < 600; i += 1) {
      world.run("2s");
      expect(world.status.verdicts).toMatchObject([{ category: "NoData", message: errors }]);
    }
    world.restartOperator();
    world.pass();
    expect(world.status).toMatchObject({ step: { name: "quarter" }, rollout: { heldFor: "NoData" } });
    world.missing = {};
    world.run("1m");
    expect(world.status.step?.name).toBe("all");
  });

  it("is named while the promoted version is watched", () => {
    const { world } = holding();
    for (let i = 0; i < 200 && world.status.phase !== "Watching"; i += 1) world.run("10s");
    world.missing = { errors };
    world.run("1m");
    expect(world.status.verdicts).toEqual([{ signal: "errors", category: "NoData", message: errors }]);
  });
});

describe("a ready pod that the source does not scrape", () => {
  it("keeps a step from being passed on what was proved before, and is named", () => {
    const { world, pod } = holding();
    world.run("2m");
    expect(world.status.verdicts).toMatchObject([{ signal: "errors", category: "ProvedBelow" }]);
    world.unscraped = [pod];
    world.behaviours["bridge:2"] = { errorShare: 1 };
    world.run("20m");
    expect(world.status).toMatchObject({
      phase: "Holding",
      step: { name: "quarter" },
      rollout: { heldFor: "MetricsUnavailable", noDataSince: expect.any(String) },
    });
    const said = `Ready pods without samples: ${pod}.`;
    expect(metrics(world)).toMatchObject({ status: "False", reason: "EvidenceMissing", message: said });
    expect(world.status.summary).toContain(`Metrics are missing: ${said}`);
  });

  it("is no reason to hold before it could have been scraped", () => {
    const { world, pod } = holding();
    world.unscraped = [pod];
    world.run("1m");
    expect(metrics(world)?.status).toBe("True");
    world.unscraped = [];
    world.run("5m");
    expect(world.status.step?.name).toBe("all");
  });

  it("leads to what noData says when that has lasted, and the rollback says why", () => {
    const { world, pod } = holding({ after: "10m", action: "Rollback" });
    world.unscraped = [pod];
    world.run("15m");
    expect(world.status).toMatchObject({
      phase: "Aborted",
      rollout: {
        failed: {
          reason: "NoData",
          message: `no evidence for 10m: Metrics are missing: Ready pods without samples: ${pod}`,
        },
      },
    });
  });

  it("lets the evidence go on from where it stopped once it is scraped", () => {
    const { world, pod } = holding();
    world.unscraped = [pod];
    world.run("10m");
    world.unscraped = [];
    world.run("10s");
    expect(metrics(world)?.status).toBe("True");
    expect(world.status.step?.name).toBe("all");
  });

  it("is named while the promoted version is watched", () => {
    const { world } = holding();
    for (let i = 0; i < 200 && world.status.phase !== "Watching"; i += 1) world.run("10s");
    world.unscraped = [world.pods.find(({ ready }) => ready)?.name ?? ""];
    world.run("3m");
    expect(world.status.phase).toBe("Watching");
    expect(metrics(world)?.message).toBe(`Ready pods without samples: ${world.unscraped[0]}.`);
  });
});
