import { expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { KubeObject } from "../kube/object.ts";
import { resources } from "../kube/resources.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import type { WatchEvent } from "../kube/watch-event.ts";
import { live } from "./live.ts";

const pods = { resource: resources.pods, namespace: "ai" };

/** Only what is said while a server is away is of interest here; what a real one does is in cli.server.test.ts. */
function clientOf(watch: (isFirst: boolean, signal: AbortSignal) => AsyncIterable<WatchEvent<KubeObject>>) {
  let isFirst = true;
  const asked = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    const events = watch(isFirst, signal);
    isFirst = false;
    return events;
  };
  return { watch: asked } as Partial<KubeClient> as KubeClient;
}

it("says why no changes come in, until the watch has held for a while", async () => {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const broken = Promise.withResolvers<never>();
  // It may break before the reader has come to wait for it.
  broken.promise.catch(() => undefined);
  const client = clientOf(async function* (isFirst, signal) {
    if (isFirst) {
      yield { type: "BOOKMARK", resourceVersion: "1", initialEventsEnd: true };
      await broken.promise;
    }
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  let changes = 0;
  const seen = await live(client, pods, () => changes++, stop.signal, clock);
  expect(seen.trouble()).toBeUndefined();
  broken.reject(new Error("other side closed"));
  await expect.poll(() => seen.trouble()).toMatchObject({ message: "other side closed" });
  expect(changes).toBe(1);
  await clock.advance(25_000);
  expect(seen.trouble()).toBeUndefined();
  stop.abort();
});

it("throws what is answered before there is anything to show", async () => {
  const forbidden = new ApiError("watch pods", 403, { message: "no" });
  const client = clientOf(() => {
    throw forbidden;
  });
  const { signal } = new AbortController();
  await expect(live(client, pods, () => {}, signal, createVirtualClock())).rejects.toBe(forbidden);
});
