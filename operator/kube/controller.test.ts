import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sleep } from "./clock.ts";
import {
  type ControllerOptions,
  createController,
  type ReconcileContext,
  type ReconcileResult,
} from "./controller.ts";
import { ApiError, FencedError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { ObjectKey } from "./object.ts";
import type { OwnWrites } from "./own-writes.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

const done: ReconcileResult = { kind: "done" };
const key = (name: string): ObjectKey => ({ namespace: "ns", name });
let clock: VirtualClock;
let stop: AbortController;
let registry: Registry;

beforeEach(() => {
  clock = createVirtualClock();
  stop = new AbortController();
  registry = new Registry();
});
afterEach(() => stop.abort());

function run(
  reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<ReconcileResult>,
  options: Partial<ControllerOptions> = {},
) {
  const metrics = createKubeMetrics(registry);
  const controller = createController({
    ...{ name: "test", reconcile, clock, metrics, random: () => 1, backoffMs: [1000, 60_000] },
    ...options,
  });
  return { controller, ended: controller.run(stop.signal) };
}

const results = async (): Promise<Record<string, number>> => {
  const { values } = (await registry.getSingleMetric("operator_reconciles_total")?.get()) ?? { values: [] };
  return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
};

describe("results", () => {
  it("nothing is done for what was taken back before it began", async () => {
    const seen: string[] = [];
    const controller = createController({
      name: "test",
      clock,
      reconcile: async ({ name }) => {
        seen.push(name);
        return done;
      },
    });
    for (const name of ["gone", "kept"]) controller.enqueue(key(name), { priority: "user" });
    controller.drop(key("gone"));
    expect(controller.depth).toBe(1);
    void controller.run(stop.signal);
    await clock.advance(0);
    expect(seen).toEqual(["kept"]);
  });

  it("done waits for the next change; requeueAfter comes back by itself", async () => {
    const seen: string[] = [];
    const { controller } = run(async ({ name }) => {
      seen.push(name);
      return name === "timer" && seen.length < 3 ? { kind: "requeueAfter", ms: 5000 } : done;
    });
    controller.enqueue(key("once"));
    controller.enqueue(key("timer"));
    await clock.advance(4999);
    expect(seen).toEqual(["once", "timer"]);
    await clock.advance(60_000);
    expect(seen).toEqual(["once", "timer", "timer"]);
    expect(await results()).toEqual({ done: 2, "requeue-after": 1 });
  });

  it.each([
    ["a rejection", () => Promise.reject(new Error("no")), "error"],
    ["a bug", () => Promise.resolve((undefined as unknown as { x: ReconcileResult }).x), "bug"],
    ["a thrown string", () => Promise.reject("text"), "bug"],
    [
      "a synchronous throw",
      () => {
        throw new TypeError("now");
      },
      "bug",
    ],
    ["a conflict", () => Promise.reject(new ApiError("x", 409, { reason: "Conflict" })), "conflict"],
  ])("%s backs off alone and does not stop the worker", async (_, fail, result) => {
    const seen: string[] = [];
    const { controller } = run(
      ({ name }) => {
        seen.push(name);
        return name === "poison" ? fail() : Promise.resolve(done);
      },
      { workers: 1 },
    );
    controller.enqueue(key("poison"));
    controller.enqueue(key("healthy"));
    await clock.advance(999);
    expect(seen).toEqual(["poison", "healthy"]);
    await clock.advance(1);
    expect(seen).toEqual(["poison", "healthy", "poison"]);
    expect(await results()).toEqual({ [result]: 2, done: 1 });
  });

  it.each([
    ["a conflict before anything was carried out", false, 409, [0, 1_000, 3_000, 7_000]],
    ["a conflict after something was", true, 409, [0, 1_000, 2_000, 3_000]],
    ["a failure of another kind after something was", true, 500, [0, 1_000, 3_000, 7_000]],
  ] as const)("%s: back-off that doubles or begins anew", async (_, isFurther, code, expected) => {
    const startedMs = clock.monotonic();
    const atMs: number[] = [];
    const { controller } = run(async (_key, { progressed }) => {
      atMs.push(clock.monotonic() - startedMs);
      if (isFurther) progressed();
      throw new ApiError("x", code, { reason: code === 409 ? "Conflict" : "" });
    });
    controller.enqueue(key("a"));
    await clock.advance(7_000);
    expect(atMs.slice(0, 4)).toEqual(expected);
  });

  it("waits as long as the server asked", async () => {
    let calls = 0;
    const { controller } = run(async () => {
      calls++;
      throw new ApiError("x", 429, {}, 20_000);
    });
    controller.enqueue(key("a"));
    await clock.advance(19_999);
    expect(calls).toBe(1);
    await clock.advance(1);
    expect(calls).toBe(2);
  });
});

describe("running", () => {
  it("reconciles several keys at a time and one key never twice at a time", async () => {
    const gates: (() => void)[] = [];
    let active = 0;
    let most = 0;
    const { controller } = run(
      async () => {
        most = Math.max(most, ++active);
        await new Promise<void>((resolve) => gates.push(resolve));
        active--;
        return done;
      },
      { workers: 2 },
    );
    controller.enqueue(key("a"));
    await clock.advance(1);
    controller.enqueue(key("a"));
    await clock.advance(1);
    expect(most).toBe(1);
    controller.enqueue(key("b"));
    controller.enqueue(key("c"));
    await clock.advance(1);
    expect(most).toBe(2);
    expect(controller.longestRunningMs()).toBe(3);
    while (gates.length > 0) {
      gates.shift()?.();
      await clock.advance(1);
    }
    expect(await results()).toEqual({ done: 4 });
  });

  it("aborts a reconcile at its deadline and keeps its key locked until it ends", async () => {
    let calls = 0;
    let finish = (): void => {};
    const { controller } = run(
      async (_, { signal }) => {
        calls++;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        signal.throwIfAborted();
        return done;
      },
      { deadlineMs: 1000 },
    );
    controller.enqueue(key("slow"));
    await clock.advance(30_000);
    controller.enqueue(key("slow"), { priority: "user" });
    await clock.advance(1);
    expect(calls).toBe(1);
    finish();
    await clock.advance(1);
    expect(calls).toBe(2);
    expect(await results()).toEqual({ deadline: 1 });
  });

  it("gives each reconcile an id and ends when told to, aborting what has not ended in the time to do so", async () => {
    const ids = new Set<string>();
    let aborted = 0;
    const { controller, ended } = run(async (_, { reconcileId, signal }) => {
      ids.add(reconcileId);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      aborted++;
      return done;
    });
    controller.enqueue(key("a"));
    controller.enqueue(key("b"));
    await clock.advance(1);
    stop.abort();
    await clock.advance(1_999);
    expect(aborted).toBe(0);
    await clock.advance(1);
    await ended;
    expect(aborted).toBe(2);
    expect(ids.size).toBe(2);
    expect(clock.pending).toBe(0);
  });
});

describe("stopping", () => {
  it("lets a reconcile finish what it does, and starts no other", async () => {
    let finish = (): void => {};
    const seen: string[] = [];
    const { controller, ended } = run(
      async ({ name }, { signal }) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        signal.throwIfAborted();
        seen.push(name);
        return done;
      },
      { workers: 1 },
    );
    controller.enqueue(key("a"));
    await clock.advance(1);
    controller.enqueue(key("b"));
    stop.abort();
    await clock.advance(1_000);
    finish();
    await ended;
    expect(seen).toEqual(["a"]);
    expect(clock.pending).toBe(0);
  });

  it("aborts at once what runs when leadership was lost", async () => {
    let aborted = false;
    const { controller, ended } = run(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      aborted = true;
      return done;
    });
    controller.enqueue(key("a"));
    await clock.advance(1);
    stop.abort(new FencedError("leadership ended"));
    await ended;
    expect(aborted).toBe(true);
  });
});

describe("own writes", () => {
  it("hold a key back until the caches show them", async () => {
    let ready = false;
    let tell: (key: ObjectKey) => void = () => {};
    const ownWrites = {
      ready: () => ready,
      onReady: (handler: (key: ObjectKey) => void) => {
        tell = handler;
      },
    } as Partial<OwnWrites> as OwnWrites;
    const seen: string[] = [];
    const { controller } = run(
      async ({ name }) => {
        seen.push(name);
        return done;
      },
      { ownWrites },
    );
    controller.enqueue(key("a"));
    await clock.advance(1000);
    expect(seen).toEqual([]);
    ready = true;
    tell(key("a"));
    tell(key("stranger"));
    await clock.advance(1);
    expect(seen).toEqual(["a"]);
  });

  it("let a person's change go first all the same, once they are shown", async () => {
    const pending = new Set(["edited"]);
    let tell: (key: ObjectKey) => void = () => {};
    const ownWrites = {
      ready: ({ name }: ObjectKey) => !pending.has(name),
      onReady: (handler: (key: ObjectKey) => void) => {
        tell = handler;
      },
    } as Partial<OwnWrites> as OwnWrites;
    const order: string[] = [];
    const { controller } = run(
      async ({ name }) => {
        order.push(name);
        await sleep(clock, 100);
        return done;
      },
      { ownWrites, workers: 1 },
    );
    controller.enqueue(key("edited"), { priority: "user" });
    await clock.advance(1);
    for (const name of ["first", "second", "third"]) controller.enqueue(key(name));
    await clock.advance(1);
    pending.clear();
    tell(key("edited"));
    await clock.advance(1_000);
    expect(order).toEqual(["first", "edited", "second", "third"]);
  });
});
