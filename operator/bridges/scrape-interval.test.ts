import { describe, expect, it } from "vitest";
import { measureBaseline } from "../evidence/baseline.ts";
import { steppedSpec } from "./testing/stepped-spec.ts";
import { World } from "./testing/world.ts";

const spec = (rollout: object = {}) =>
  steppedSpec({ name: "half", weight: 50 }, { watchAfter: "5m", ...rollout });

/** Ten minutes of a version that fails 0.2 %. */
const served = measureBaseline({
  errors: Array.from({ length: 120 }, (_, endMs) => ({
    endMs,
    pods: [{ pod: "a", counts: { requests: 500, bad: 1 } }],
  })),
});

function reaching(phase: string, scrapeMs: number, rollout: object = {}): World {
  const world = new World(spec(rollout));
  world.scrapeMs = scrapeMs;
  world.past = () => served;
  world.run("30s");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  for (let i = 0; i < 400 && world.status.phase !== phase; i += 1) world.run("5s");
  expect(world.status.phase).toBe(phase);
  return world;
}

const watched = ({ memory }: World) => memory.watch?.state.signals.errors?.worseMost ?? 0;
/** Log M of an alarm in a watch of five minutes in intervals of so many seconds. */
const alarmAt = (seconds: number) => Math.log(300 / seconds / 0.01);

describe("a scrapeInterval that the administrator makes longer than the interval", () => {
  it("raises no alarm from what a watch of more intervals has counted, and begins it anew", () => {
    const world = reaching("Watching", 5_000);
    world.behaviours["bridge:2"] = { errorShare: 0.0285 };
    for (let i = 0; i < 100 && watched(world) < alarmAt(60); i += 1) world.run("1s");
    expect(watched(world)).toBeGreaterThan(alarmAt(60));
    expect(watched(world)).toBeLessThan(alarmAt(5));
    world.behaviours["bridge:2"] = {};
    world.scrapeMs = 60_000;
    world.run("20s");
    expect(world.status.phase).toBe("Watching");
    expect(world.status.verdicts).toMatchObject([{ signal: "errors", category: "Watching" }]);
    expect(world.memory.watch?.state).toMatchObject({
      subject: "errors 1% 3%, 5s over 60000ms",
      intervals: 0,
    });
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    world.run("3m");
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });

  it("has the evidence about a canary gathered anew", () => {
    const world = reaching("Holding", 5_000, {
      steps: [
        { name: "half", weight: 50, hold: "20m" },
        { name: "all", weight: 100, hold: "10s" },
      ],
    });
    world.run("2m");
    const sinceMs = Date.parse(world.status.rollout?.evidenceSince ?? "");
    world.scrapeMs = 60_000;
    world.run("2m");
    const { subject, intervalEndMs = 0, signals } = world.memory.evidence?.state ?? {};
    expect(subject).toBe("errors 1% 3%, 5s over 60000ms");
    expect((intervalEndMs - sinceMs) / 60_000).toBe(signals?.errors?.intervals);
  });
});

describe("without a source that says how often it scrapes", () => {
  /** As where the source is taken out of the settings. */
  const withoutSource = (world: World) => {
    world.metricsDown = true;
    world.scrapeMs = undefined;
    world.restartOperator();
    world.run("1m");
  };

  it("an alarm stays one", () => {
    const world = reaching("Watching", 60_000, { onFailure: "Pause" });
    world.behaviours["bridge:2"] = { errorShare: 0.018 };
    for (let i = 0; i < 250 && watched(world) < alarmAt(60); i += 1) world.run("1s");
    expect(watched(world)).toBeLessThan(alarmAt(5));
    const isProved = [{ signal: "errors", category: "ProvedWorse" }];
    expect(world.status.verdicts).toMatchObject(isProved);
    withoutSource(world);
    expect(world.status.verdicts).toMatchObject(isProved);
  });

  it("what is proved of a canary stays proved", () => {
    const world = reaching("Holding", 60_000, { onFailure: "Pause" });
    world.behaviours["bridge:2"] = { errorShare: 0.3 };
    world.run("3m");
    expect(world.status.verdicts).toMatchObject([{ category: "ProvedWorse" }]);
    withoutSource(world);
    expect(world.status.verdicts).toMatchObject([{ category: "ProvedWorse" }]);
  });
});
