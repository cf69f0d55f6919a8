import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { createInformer, type Informer } from "./informer.ts";
import type { KubeObject } from "./object.ts";
import { createOwnWrites, type OwnWrites } from "./own-writes.ts";
import { resources } from "./resources.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
import type { WatchEvent } from "./watch-event.ts";

/** What the caches of a real server show is in own-writes.server.test.ts; here, how long a cache is waited for. */

const key = { namespace: "ns", name: "owner" };
const object = (resourceVersion: string): KubeObject => ({
  metadata: { name: "a", namespace: "ns", uid: "uid-a", resourceVersion },
});
let clock: VirtualClock;
let stop: AbortController;
let informer: Informer<KubeObject>;
let ownWrites: OwnWrites;
let stored: KubeObject;
let asked: string[];
let isForbidden: boolean;
let tell: (event: WatchEvent<KubeObject>) => void;

beforeEach(async () => {
  clock = createVirtualClock();
  stop = new AbortController();
  stored = object("1");
  asked = [];
  isForbidden = false;
  const client = {
    async listPage() {
      if (isForbidden) throw new ApiError("list pods", 403, {});
      asked.push("pages");
      const { resourceVersion } = stored.metadata;
      return { items: [stored], resourceVersion, continueToken: undefined };
    },
    async watch(_: unknown, { signal }: { signal: AbortSignal }) {
      asked.push("watch");
      return hanging(signal);
    },
  } as Partial<KubeClient> as KubeClient;
  informer = createInformer({ client, clock, resource: resources.pods, listing: "Pages", random: () => 1 });
  ownWrites = createOwnWrites({ clock });
  void informer.start(stop.signal);
  await clock.advance(0);
  asked.length = 0;
});
afterEach(() => stop.abort());

/** A watch that brings what it is told to and, once that is over, nothing until it is aborted. */
async function* hanging(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
  for (;;) {
    yield await new Promise<WatchEvent<KubeObject>>((resolve, reject) => {
      tell = resolve;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }
}

describe("own writes that a hanging watch does not bring", () => {
  const write = (strict: boolean) => {
    ownWrites.observe(informer, { strict });
    stored = object("5");
    ownWrites.wrote(key, resources.pods, stored);
  };

  it("are waited for five seconds", async () => {
    write(false);
    await clock.advance(4_999);
    expect(ownWrites.ready(key)).toBe(false);
    await clock.advance(1);
    expect([ownWrites.ready(key), informer.store.get("ns", "a")]).toEqual([true, object("1")]);
    expect(asked).toEqual([]);
  });

  it("are read anew after five seconds where the resource is strict, and not taken for seen before", async () => {
    write(true);
    await clock.advance(5_000);
    expect(ownWrites.ready(key)).toBe(false);
    await clock.advance(800);
    expect([ownWrites.ready(key), informer.store.get("ns", "a")]).toEqual([true, object("5")]);
    expect(asked).toEqual(["pages", "watch"]);
    await clock.advance(170_000);
    expect(asked).toEqual(["pages", "watch"]);
  });

  it("are read anew so where this one is known to be there, whatever the resource is", async () => {
    ownWrites.observe(informer);
    stored = object("5");
    ownWrites.wrote(key, resources.pods, stored, { strict: true });
    await clock.advance(5_000);
    expect(ownWrites.ready(key)).toBe(false);
    await clock.advance(800);
    expect([ownWrites.ready(key), asked]).toEqual([true, ["pages", "watch"]]);
  });

  it("are waited for no longer where the resource may not be read any more", async () => {
    write(true);
    isForbidden = true;
    await clock.advance(20_000);
    expect([ownWrites.ready(key), informer.refusal("ns")?.namespace]).toEqual([true, ""]);
  });

  it("are waited for as long as the list is behind too", async () => {
    write(true);
    stored = object("4");
    await clock.advance(60_000);
    expect(ownWrites.ready(key)).toBe(false);
    expect(asked.length).toBeGreaterThan(4);
    stored = object("5");
    await clock.advance(60_000);
    expect(ownWrites.ready(key)).toBe(true);
  });

  it("lead to no list while the watch brings other things", async () => {
    write(true);
    for (let version = 2; version < 5; version++) {
      await clock.advance(4_000);
      tell({ type: "BOOKMARK", resourceVersion: String(version), initialEventsEnd: false });
    }
    await clock.advance(0);
    expect([ownWrites.ready(key), asked]).toEqual([false, []]);
    tell({ type: "MODIFIED", object: stored });
    await clock.advance(0);
    expect(ownWrites.ready(key)).toBe(true);
  });

  it("are waited for while an object is still shown that is known to be gone", async () => {
    ownWrites.observe(informer, { strict: true });
    ownWrites.deleted(key, resources.pods, "ns", "a", "uid-a");
    await clock.advance(5_000);
    expect(ownWrites.ready(key)).toBe(false);
    stored = { metadata: { ...object("6").metadata, uid: "uid-b" } };
    await clock.advance(60_000);
    expect(ownWrites.ready(key)).toBe(true);
  });
});
