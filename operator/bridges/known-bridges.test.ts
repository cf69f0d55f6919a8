import { beforeEach, describe, expect, it } from "vitest";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { KubeObject } from "../kube/object.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { createContests } from "./contest.ts";
import { createKnownBridges, type Known, type KnownBridges } from "./known-bridges.ts";
import { emptyMemory } from "./memory.ts";
import type { Plan } from "./plan.ts";

const key = { namespace: "ai", name: "chat" };
const clock = createVirtualClock();
const { signal } = new AbortController();
const stable = { phase: "Stable", conditions: [] };
const bridge = (resourceVersion: string, status: object = stable, uid = "u"): KubeObject =>
  ({ metadata: { ...key, uid, resourceVersion }, status }) as KubeObject;
const planOf = (status: object): Plan => ({
  ...{ writes: [], events: [], decisions: [], statusScope: "Whole" },
  status: llmBridgeStatus.parse(status),
});

/** The API server, undefined where it does not answer; and what the cache has reached. */
let stored: KubeObject | "Missing" | undefined;
let reached: number;
let reads: number;
let waitsFor: number | "Deletion" | undefined;
let told: [string, Plan][];
let known: KnownBridges;

beforeEach(() => {
  [stored, reached, reads, waitsFor, told] = [bridge("7"), 7, 0, undefined, []];
  const client = {
    async get() {
      reads += 1;
      if (stored === undefined) throw new ApiError("get", 503, {});
      if (stored === "Missing") throw new ApiError("get", 404, { reason: "NotFound" });
      return stored;
    },
  } as Partial<KubeClient> as KubeClient;
  const ownWrites = {
    wrote(_: unknown, __: unknown, { metadata }: KubeObject) {
      waitsFor = Number(metadata.resourceVersion);
    },
    deleted() {
      waitsFor = "Deletion";
    },
    ready: () => typeof waitsFor === "number" && waitsFor <= reached,
  };
  const onStored = ({ uid }: { uid: string }, plan: Plan) => void told.push([uid, plan]);
  known = createKnownBridges({ client, ownWrites, clock, onStored });
});

const recall = (uid = "u") => known.recall(key, uid, signal);

describe("a bridge of which nothing is known", () => {
  it("is read once, and not again at rest", async () => {
    expect(await recall()).toMatchObject({ uid: "u", isTold: false });
    await recall();
    expect([reads, waitsFor]).toEqual([1, 7]);
  });

  it.each([
    ["is newer than the cache", () => bridge("9"), 9],
    ["is another one by now", () => bridge("9", {}, "v"), 9],
    ["is gone", () => "Missing" as const, "Deletion"],
  ])("is not looked at where it %s", async (_, found, wanted) => {
    stored = found();
    expect(await recall()).toBe("Behind");
    expect(waitsFor).toBe(wanted);
  });

  it("is not looked at where it cannot be read", async () => {
    stored = undefined;
    await expect(recall()).rejects.toThrow("503");
    stored = bridge("7");
    expect(await recall()).toMatchObject({ uid: "u" });
  });

  it("has nothing of the one that had its name before", async () => {
    known.note(key, { ...((await recall()) as Known), isTold: true });
    stored = bridge("7", {}, "v");
    expect(await recall("v")).toMatchObject({ uid: "v", isTold: false });
  });
});

describe("a bridge whose status nobody said was stored", () => {
  const plan = planOf({ phase: "Holding" });
  const before: Known = {
    ...{ uid: "u", isTold: true, isCaughtUp: true, problem: undefined, contests: createContests({ clock }) },
    memory: emptyMemory(1),
  };
  const lost = { ...before, unanswered: { plan, memory: emptyMemory(2) } };

  it("is read, and what was decided is told once if it was stored", async () => {
    known.note(key, lost);
    [stored, reached] = [bridge("8", { phase: "Holding" }), 8];
    expect(await recall()).toMatchObject({ isTold: true, memory: { since: 2 }, unanswered: undefined });
    await recall();
    expect([reads, told]).toEqual([1, [["u", plan]]]);
  });

  it("is told of before the cache shows it, and looked at after", async () => {
    known.note(key, lost);
    stored = bridge("8", { phase: "Holding" });
    expect([await recall(), waitsFor, told.length]).toEqual(["Behind", 8, 1]);
    expect(await recall()).toMatchObject({ memory: { since: 2 } });
    expect(told).toHaveLength(1);
  });

  it.each([
    ["another status is stored", () => bridge("8", { phase: "Stable" })],
    ["it is another bridge", () => bridge("8", { phase: "Holding" }, "v")],
  ])("is decided anew where %s, and nothing is told", async (_, found) => {
    known.note(key, lost);
    stored = found();
    expect(await recall()).toBe("Behind");
    expect([waitsFor, told]).toEqual([8, []]);
    expect(await recall()).toMatchObject({ memory: { since: 1 }, unanswered: undefined });
  });

  it("is asked for again until it can be read", async () => {
    known.note(key, lost);
    stored = undefined;
    await expect(recall()).rejects.toThrow("503");
    [stored, reached] = [bridge("8", { phase: "Holding" }), 8];
    await recall();
    expect(told).toHaveLength(1);
  });
});
