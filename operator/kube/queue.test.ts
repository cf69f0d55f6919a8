import { beforeEach, describe, expect, it } from "vitest";
import type { ObjectKey } from "./object.ts";
import { createQueue, type WorkQueue } from "./queue.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

const key = (name: string, namespace = "ns"): ObjectKey => ({ namespace, name });
let clock: VirtualClock;
let queue: WorkQueue;
const signal = new AbortController().signal;

beforeEach(() => {
  clock = createVirtualClock();
  queue = createQueue({ name: "test", clock, random: () => 1, backoffMs: [1000, 8000] });
});

async function take(): Promise<ObjectKey> {
  const taken = await queue.take(signal);
  if (!taken) throw new Error("the queue gave nothing");
  return taken;
}

/** Takes everything that is ready, giving each back at once. */
async function drain(): Promise<string[]> {
  const names: string[] = [];
  while (queue.depth > 0) {
    const taken = await take();
    names.push(taken.name);
    queue.done(taken);
  }
  return names;
}

describe("a key that is taken back", () => {
  it("is not handed out, whether it is ready, delayed, failed or being worked on", async () => {
    queue.add(key("taken"));
    const taken = await take();
    queue.add(taken);
    queue.add(key("ready"), { priority: "user" });
    queue.add(key("delayed"), { afterMs: 1000 });
    queue.retry(key("failed"));
    for (const name of ["taken", "ready", "delayed", "failed", "unknown"]) queue.drop(key(name));
    queue.done(taken);
    expect([queue.depth, clock.pending]).toEqual([0, 0]);
    queue.add(key("ready"));
    await clock.advance(60_000);
    expect(await drain()).toEqual(["ready"]);
  });
});

describe("set semantics", () => {
  it("holds a key once", async () => {
    queue.add(key("a"));
    queue.add(key("a"));
    queue.add(key("b"));
    expect(await drain()).toEqual(["a", "b"]);
  });

  it("hands a key that was added while being worked on out once more, and never twice at a time", async () => {
    queue.add(key("a"));
    const taken = await take();
    queue.add(key("a"));
    queue.add(key("a"));
    expect(queue.depth).toBe(0);
    queue.done(taken);
    expect(await drain()).toEqual(["a"]);
  });

  it("wakes one waiting worker per key, and all of them when the signal aborts", async () => {
    const stop = new AbortController();
    const workers = [queue.take(stop.signal), queue.take(stop.signal), queue.take(stop.signal)];
    queue.add(key("a"));
    queue.add(key("b"));
    expect(await Promise.all(workers.slice(0, 2))).toEqual([key("a"), key("b")]);
    stop.abort();
    expect(await workers[2]).toBeUndefined();
  });
});

describe("delayed adds", () => {
  it("keep the earliest time", async () => {
    queue.add(key("a"), { afterMs: 5000 });
    queue.add(key("a"), { afterMs: 2000 });
    queue.add(key("a"), { afterMs: 9000 });
    await clock.advance(1999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await drain()).toEqual(["a"]);
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it("give way to an immediate add", async () => {
    queue.add(key("a"), { afterMs: 5000 });
    queue.add(key("a"));
    expect(await drain()).toEqual(["a"]);
    await clock.advance(6000);
    expect(queue.depth).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("come back after done when due while the key is worked on", async () => {
    queue.add(key("a"));
    const taken = await take();
    queue.add(key("a"), { afterMs: 10 });
    await clock.advance(20);
    expect(queue.depth).toBe(0);
    queue.done(taken);
    expect(queue.depth).toBe(1);
  });
});

describe("back-off", () => {
  async function fail(atLeastMs?: number): Promise<number> {
    const taken = await take();
    const waitMs = queue.retry(taken, atLeastMs);
    queue.done(taken);
    return waitMs;
  }

  it("doubles per key up to the cap, and starts over after forget", async () => {
    const waits: number[] = [];
    queue.add(key("a"));
    for (let turn = 0; turn < 5; turn++) {
      waits.push(await fail());
      await clock.advance(8000);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000]);
    queue.forget(key("a"));
    expect(await fail()).toBe(1000);
  });

  it("leaves other keys alone", async () => {
    queue.add(key("poison"));
    await fail();
    queue.add(key("healthy"));
    expect(await drain()).toEqual(["healthy"]);
  });

  it("waits as long as the server asked", async () => {
    queue.add(key("a"));
    expect(await fail(30_000)).toBe(30_000);
  });

  it("is not cut short by events that the failing key itself may have caused, before or after it failed", async () => {
    queue.add(key("a"));
    const taken = await take();
    queue.add(key("a"), { priority: "child" });
    queue.retry(taken);
    queue.done(taken);
    queue.add(key("a"), { priority: "child" });
    expect(queue.depth).toBe(0);
    await clock.advance(1000);
    expect(await drain()).toEqual(["a"]);
  });

  it("is not cut short by an event that is to be looked at a little later, either", async () => {
    queue.add(key("a"));
    const taken = await take();
    queue.add(key("a"), { priority: "child", afterMs: 100 });
    queue.retry(taken);
    queue.done(taken);
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await drain()).toEqual(["a"]);
  });

  it("is cut short by a user's change", async () => {
    queue.add(key("a"));
    await fail();
    queue.add(key("a"), { priority: "user" });
    expect(queue.depth).toBe(1);
  });
});

describe("order", () => {
  it("is by priority, and a more urgent add raises a key", async () => {
    queue.add(key("resync"), { priority: "resync" });
    queue.add(key("new"), { priority: "new" });
    queue.add(key("child"), { priority: "child" });
    queue.add(key("raised"), { priority: "resync" });
    queue.add(key("user"), { priority: "user" });
    queue.add(key("raised"), { priority: "user" });
    queue.add(key("raised"), { priority: "resync" });
    expect(await drain()).toEqual(["user", "raised", "child", "new", "resync"]);
  });

  it("takes turns between namespaces", async () => {
    for (let index = 0; index < 5; index++) queue.add(key(`noisy-${index}`, "noisy"));
    queue.add(key("quiet-0", "quiet"));
    queue.add(key("quiet-1", "quiet"));
    expect(await drain()).toEqual([
      "noisy-0",
      "quiet-0",
      "noisy-1",
      "quiet-1",
      "noisy-2",
      "noisy-3",
      "noisy-4",
    ]);
  });

  it("lets nobody wait for ever behind more urgent keys", async () => {
    queue.add(key("patient"), { priority: "resync" });
    const order: string[] = [];
    for (let index = 0; index < 20; index++) {
      queue.add(key(`user-${index}`), { priority: "user" });
      queue.add(key(`more-${index}`), { priority: "user" });
      const taken = await take();
      order.push(taken.name);
      queue.done(taken);
    }
    expect(order.indexOf("patient")).toBe(9);
  });

  it("lets no priority wait for ever behind a more and a less urgent one, however old the keys of the latter are", async () => {
    for (let index = 0; index < 50; index++) queue.add(key(`resync-${index}`), { priority: "resync" });
    await clock.advance(1000);
    queue.add(key("child"), { priority: "child" });
    queue.add(key("new"), { priority: "new" });
    const order: string[] = [];
    for (let index = 0; index < 40; index++) {
      queue.add(key(`user-${index}`), { priority: "user" });
      queue.add(key(`more-${index}`), { priority: "user" });
      const taken = await take();
      order.push(taken.name);
      queue.done(taken);
    }
    const others = order.filter((name) => !/^(user|more)-/.test(name));
    expect(others).toEqual(["child", "new", "resync-0", "resync-1"]);
  });
});
