import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { createVirtualClock } from "../../kube/virtual-clock.ts";
import { failing, type MetricSource, type PodReading, type Reading } from "../../prometheus/source.ts";
import type { Question } from "./measurements.ts";
import { createMeasuring } from "./measuring.ts";

const spec = llmBridgeSpec.parse({
  image: "bridge:1",
  upstreams: [{ name: "main", protocol: "OpenAI", url: "https://upstream.example" }],
  resources: { limits: { cpu: "1", memory: "512Mi" } },
});

function question(more: Partial<Question> = {}): Question {
  return {
    bridge: { namespace: "ai", name: "chat", uid: "u-1" },
    spec,
    status: llmBridgeStatus.parse({}),
    known: undefined,
    forecastDue: false,
    pods: [],
    nowMs: 0,
    ...more,
  };
}

/** With a canary beside a stable version. */
const rollingOut = llmBridgeStatus.parse({
  rollout: {
    phase: "Stepping",
    phaseSince: "2026-01-01T00:00:00Z",
    step: 0,
    stableRevision: "s",
    canaryRevision: "c",
  },
});

type Fleet = Reading<readonly PodReading[]>;
const pods = (pod: string): Fleet => ({
  kind: "ok",
  value: [
    {
      pod,
      revision: "s",
      atMs: 0,
      windowMs: 60_000,
      stale: false,
      poolWaiting: {},
      poolSize: {},
      poolLimit: {},
    },
  ],
});

/** A source whose answers are given one by one. */
function bed() {
  const clock = createVirtualClock();
  const asked: ((fleet: Fleet) => void)[] = [];
  const errors: ((error: Error) => void)[] = [];
  const late: string[] = [];
  const source: MetricSource = {
    name: "main",
    readFleet: () =>
      new Promise((resolve, reject) => {
        asked.push(resolve);
        errors.push(reject);
      }),
    readIntervals: async () => failing("NoData", "none"),
    readBaseline: async () => failing("NoData", "none"),
  };
  const measuring = createMeasuring({ clock, onLate: ({ name }) => late.push(name) });
  const take = (more?: Partial<Question>) => measuring.measure({ kind: "ok", value: source }, question(more));
  return { clock, asked, errors, late, measuring, take };
}

/** Resolved with its value, or undefined where it still waits. */
async function now<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]);
}

describe("createMeasuring", () => {
  it("gives the answer of a source that is in time", async () => {
    const { clock, asked, late, take } = bed();
    const taken = take();
    await clock.advance(900);
    expect(await now(taken)).toBeUndefined();
    asked[0]?.(pods("a"));
    expect((await taken).fleet).toEqual(pods("a"));
    expect(late).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("lets a pass go on after a second, and asks for another one when the answer is there", async () => {
    const { clock, asked, late, take } = bed();
    const taken = take({ status: rollingOut });
    await clock.advance(1_000);
    expect(await taken).toEqual({
      fleet: { kind: "failing", reason: "Waiting", message: "The metric source has not answered yet." },
      evidence: { kind: "Waiting", canary: "c" },
      forecast: undefined,
    });
    // Asked once, however many passes there are meanwhile.
    await take({ status: rollingOut });
    expect(asked).toHaveLength(1);
    expect(late).toEqual([]);
    asked[0]?.(pods("a"));
    await clock.advance(0);
    expect(late).toEqual(["chat"]);
    const next = await take({ status: rollingOut });
    expect(next.fleet).toEqual(pods("a"));
    expect(next.evidence).toMatchObject({ kind: "Baseline", canary: "c" });
    expect(asked).toHaveLength(1);
  });

  it("uses an answer that takes longer than one is fresh, and does not ask the same for ever", async () => {
    const { clock, asked, late, take } = bed();
    const taken = take();
    await clock.advance(1_000);
    await taken;
    await clock.advance(20_000);
    asked[0]?.(pods("a"));
    await clock.advance(0);
    expect(late).toEqual(["chat"]);
    expect((await take()).fleet).toEqual(pods("a"));
    expect(asked).toHaveLength(1);
  });

  it("shows the fleet as it was last read while a source is slow, and does not wait for that source any more", async () => {
    const { clock, asked, late, take } = bed();
    const first = take();
    asked[0]?.(pods("a"));
    await first;
    const second = take();
    await clock.advance(1_000);
    expect((await second).fleet).toEqual(pods("a"));
    asked[1]?.(pods("b"));
    await clock.advance(0);
    expect((await take()).fleet).toEqual(pods("b"));
    // Another bridge of the same source: no timer has to fire.
    const other = await take({ bridge: { namespace: "ai", name: "other", uid: "u-2" } });
    expect(other.fleet).toMatchObject({ reason: "Waiting" });
    asked[2]?.(pods("c"));
    await clock.advance(0);
    expect(late).toEqual(["chat", "other"]);
    // It answered in time, so it is waited for again.
    const third = take();
    expect(await now(third)).toBeUndefined();
    asked[3]?.(pods("d"));
    expect((await third).fleet).toEqual(pods("d"));
  });

  it("asks anew when another question is to be answered, and drops the answer to the old one", async () => {
    const { clock, asked, late, take } = bed();
    const before = take();
    await clock.advance(1_000);
    await before;
    const after = await take({ status: rollingOut });
    expect(after.fleet).toMatchObject({ reason: "Waiting" });
    expect(asked).toHaveLength(2);
    asked[0]?.(pods("old"));
    await clock.advance(0);
    expect(late).toEqual([]);
    asked[1]?.(pods("new"));
    await clock.advance(0);
    expect((await take({ status: rollingOut })).fleet).toEqual(pods("new"));
  });

  it("does not use an answer that was not come for in time", async () => {
    const { clock, asked, take } = bed();
    const before = take();
    await clock.advance(1_000);
    await before;
    asked[0]?.(pods("old"));
    await clock.advance(20_000);
    expect((await take()).fleet).toMatchObject({ reason: "Waiting" });
    asked[1]?.(pods("new"));
    await clock.advance(0);
    expect((await take()).fleet).toEqual(pods("new"));
  });

  it("says what failed to the pass that comes for the answer", async () => {
    const { clock, errors, take } = bed();
    const before = take();
    await clock.advance(1_000);
    await before;
    errors[0]?.(new TypeError("a bug"));
    await clock.advance(0);
    await expect(take()).rejects.toThrow("a bug");
  });

  it("answers at once for a source that may not be used", async () => {
    const { clock, measuring } = bed();
    const refused = failing("NotAllowed", "not open");
    const found = await measuring.measure(refused, question({ status: rollingOut }));
    expect(found).toEqual({
      fleet: refused,
      evidence: { kind: "Intervals", canary: "c", reading: refused },
      forecast: undefined,
    });
    expect(clock.pending).toBe(0);
  });

  it("forgets a bridge that is gone, whatever is still under way", async () => {
    const { clock, asked, late, measuring, take } = bed();
    const before = take();
    await clock.advance(1_000);
    await before;
    measuring.forget({ namespace: "ai", name: "chat" });
    asked[0]?.(pods("old"));
    await clock.advance(0);
    expect(late).toEqual([]);
    expect((await take()).fleet).toMatchObject({ reason: "Waiting" });
    expect(asked).toHaveLength(2);
  });
});
