import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { KubeClient, ListOptions } from "./client.ts";
import { ApiError } from "./errors.ts";
import { createInformer } from "./informer.ts";
import { createKubeMetrics } from "./metrics.ts";
import { resources } from "./resources.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** What a real server does is in informer.server.test.ts. */

function start(
  refusals: Record<string, number>,
  namespace: readonly string[] | undefined,
  registry = new Registry(),
  metrics = createKubeMetrics(registry),
) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const client = {
    async listPage(_: unknown, { namespace: of = "" }: ListOptions) {
      const code = refusals[of];
      if (code) throw new ApiError("list pods", code, {});
      const metadata = { name: "a", namespace: of || "one", uid: of, resourceVersion: "1" };
      return { items: [{ metadata }], resourceVersion: "1", continueToken: undefined };
    },
    watch: (_: unknown, { signal }: ListOptions) =>
      new Promise((__, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
  } as Partial<KubeClient> as KubeClient;
  const informer = createInformer({
    ...{ client, clock, namespace, resource: resources.pods, listing: "Pages" },
    metrics,
  });
  void informer.start(stop.signal);
  let isSettled = false;
  void informer.settled().then(() => {
    isSettled = true;
  });
  const shown = async () =>
    (await registry.getSingleMetricAsString("operator_namespaces_refused"))
      .split("\n")
      .filter((line) => !line.startsWith("#"));
  return { clock, informer, stop, shown, isSettled: () => isSettled };
}

it("two informers of one resource count their objects together", async () => {
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const shown = async () => (await metrics.storeObjects.get()).values.map(({ value }) => value);
  const one = start({}, ["one"], registry, metrics);
  const two = start({}, ["one", "two"], registry, metrics);
  await Promise.all([one.clock.advance(0), two.clock.advance(0)]);
  expect(await shown()).toEqual([3]);
  two.stop.abort();
  await two.clock.advance(0);
  expect(await shown()).toEqual([1]);
  one.stop.abort();
});

describe("a namespace of several that may not be read", () => {
  it("is named and not waited for, and taken in once it may be", async () => {
    const refusals: Record<string, number> = { two: 403 };
    const { clock, informer, stop, shown, isSettled } = start(refusals, ["one", "two"]);
    await clock.advance(0);
    expect(isSettled()).toBe(true);
    expect(informer.health()).toMatchObject({ synced: false, settled: true, refused: ["two"] });
    expect(["one", "two", "three"].map(informer.isListed)).toEqual([true, false, false]);
    expect(await shown()).toEqual(['operator_namespaces_refused{resource="pods",namespace="two"} 1']);
    delete refusals.two;
    await clock.advance(60_000);
    expect(informer.health()).toMatchObject({ synced: true, settled: true, refused: [] });
    expect([informer.isListed("two"), informer.store.size]).toEqual([true, 2]);
    expect(await shown()).toEqual([]);
    stop.abort();
  });

  it.each([
    ["a namespace that does not answer", { two: 503 }, ["one", "two"]],
    ["the whole cluster", { "": 403 }, undefined],
  ] as const)("is not the same as %s, which is waited for", async (_, refusals, namespaces) => {
    const { clock, informer, stop, isSettled } = start(refusals, namespaces);
    await clock.advance(10_000);
    expect([isSettled(), informer.health().settled, informer.health().refused]).toEqual([false, false, []]);
    stop.abort();
  });
});
