import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import { ApiError, TransportError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { DesiredObject } from "./object.ts";
import { createRecorder, type RecordedEvent } from "./recorder.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** What a real server does is in recorder.server.test.ts; here, what becomes of Events while it fails. */

type Series = { readonly series?: { readonly count: number } };
/** What happens to one creation: it is stored, and answered with an error where there is one. */
type Fate = { readonly isStored: boolean; readonly error?: Error };
const STORED: Fate = { isStored: true };
const failed = (error: Error, isStored = false): Fate => ({ isStored, error });
const busy = new ApiError("create events", 503, {});
const reset = new TransportError("create events", "reset");

/** A namespace whose events the server always fails with. */
const BROKEN = "broken";

function bed(fates: readonly Fate[]) {
  const clock = createVirtualClock();
  const registry = new Registry();
  const stored = new Map<string, DesiredObject & Series>();
  let creations = 0;
  const client = {
    async create(_: unknown, body: DesiredObject) {
      if (body.metadata.namespace === BROKEN)
        throw new ApiError("create events", 500, { message: "failed calling webhook" });
      const { isStored, error } = fates[creations++] ?? STORED;
      const { name } = body.metadata;
      if (error && !isStored) throw error;
      if (stored.has(name)) throw new ApiError("create events", 409, { reason: "AlreadyExists" });
      stored.set(name, body);
      if (error) throw error;
      return body;
    },
    async mergePatch(_: unknown, __: string, name: string, patch: Series) {
      const found = stored.get(name);
      if (!found) throw new ApiError("patch events", 404, { reason: "NotFound" });
      stored.set(name, { ...found, ...patch });
      return found;
    },
  } as Partial<KubeClient> as KubeClient;
  const metrics = createKubeMetrics(registry);
  const recorder = createRecorder({ client, controller: "example.com/test", instance: "0", clock, metrics });
  const record = () => recorder.record(EVENT);
  const counts = () => [...stored.values()].map(({ series }) => series?.count ?? 1);
  const results = async () =>
    Object.fromEntries(
      (await metrics.events.get()).values.map(({ labels, value }) => [labels.result, value]),
    );
  return { clock, stored, recorder, record, counts, results, creations: () => creations };
}

const EVENT: RecordedEvent = {
  regarding: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "ns", uid: "uid" } },
  ...{ type: "Warning", reason: "Tested", action: "Test", note: "Something happened." },
};

describe("an event whose creation fails", () => {
  it.each<[string, Fate, Fate]>([
    ["is not answered", failed(reset), failed(reset)],
    ["arrives without an answer", failed(reset, true), STORED],
    ["meets a busy server, twice", failed(busy), failed(busy)],
    ["meets a failing server", failed(new ApiError("create events", 500, {})), STORED],
  ])("is made once all the same, with its series: it %s", async (_, ...fates) => {
    const { clock, record, counts, results } = bed(fates);
    record();
    record();
    await clock.advance(10_000);
    expect(counts()).toEqual([2]);
    expect(await results()).toEqual({ sent: 2 });
  });

  it("is the first again the next time, where it failed for good", async () => {
    const { clock, record, counts, results } = bed([failed(new ApiError("create events", 403, {}))]);
    record();
    await clock.advance(1);
    expect([counts(), clock.pending]).toEqual([[], 0]);
    record();
    await clock.advance(1);
    expect(counts()).toEqual([1]);
    expect(await results()).toEqual({ failed: 1, sent: 1 });
  });

  it("is given up after fifteen seconds, for the next one", async () => {
    const { clock, record, creations, results } = bed(Array.from({ length: 100 }, () => failed(reset)));
    record();
    await clock.advance(60_000);
    expect(creations()).toBe(16);
    expect(await results()).toEqual({ failed: 1 });
  });
});

it("events of a namespace that the server fails with keep none of others back, and none are dropped for them", async () => {
  const { clock, recorder, stored, results } = bed([]);
  const of = (namespace: string, index: number): RecordedEvent => {
    const metadata = { name: `a-${index}`, namespace, uid: `${namespace}-${index}` };
    return { ...EVENT, regarding: { ...EVENT.regarding, metadata } };
  };
  for (let i = 0; i < 600; i++) {
    recorder.record(of(BROKEN, i));
    recorder.record(of("ns", i));
    if (i % 100 === 0) await clock.advance(1_000);
  }
  await clock.advance(3_000);
  expect(stored.size).toBe(600);
  expect(await results()).toEqual({ sent: 600, failed: 600 });
});

it("a series whose event is gone is made anew, with its count", async () => {
  const { clock, stored, record, counts } = bed([]);
  record();
  await clock.advance(1);
  stored.clear();
  record();
  await clock.advance(1);
  record();
  await clock.advance(30_000);
  expect(counts()).toEqual([3]);
});
