import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { KubeClient, ListOptions } from "./client.ts";
import { ApiError } from "./errors.ts";
import { createInformer } from "./informer.ts";
import { silentLog } from "./log.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { ListMode } from "./reflector-state.ts";
import { resources } from "./resources.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** What a real server does is in informer.server.test.ts. */

function start(
  refusals: Record<string, number>,
  namespace: readonly string[] | undefined,
  registry = new Registry(),
  metrics = createKubeMetrics(registry),
  {
    listing = "Pages",
    mayWatch = true,
    isVital = true,
  }: { listing?: ListMode; mayWatch?: boolean; isVital?: boolean | undefined } = {},
) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  let endWatch = (): void => {};
  let lists = 0;
  const warned: string[] = [];
  const client = {
    async listPage(_: unknown, { namespace: of = "" }: ListOptions) {
      const code = refusals[of];
      if (code) throw new ApiError("list pods", code, {});
      lists += 1;
      const metadata = { name: "a", namespace: of || "one", uid: of, resourceVersion: "1" };
      return { items: [{ metadata }], resourceVersion: "1", continueToken: undefined };
    },
    watch: (_: unknown, { signal }: ListOptions) =>
      new Promise((__, reject) => {
        if (!mayWatch) reject(new ApiError("watch pods", 403, { reason: "Forbidden" }));
        endWatch = () => reject(new ApiError("watch pods", 410, { reason: "Expired" }));
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  } as Partial<KubeClient> as KubeClient;
  const informer = createInformer({
    ...{ client, clock, namespace, resource: resources.pods, listing, isVital, metrics },
    log: { ...silentLog, warn: (_, text) => warned.push(text) },
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
  return {
    ...{ clock, informer, stop, shown, warned },
    isSettled: () => isSettled,
    endWatch: () => endWatch(),
    lists: () => lists,
  };
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
    const refusal = { namespace: "two", message: "list pods: the API server answered 403" };
    expect(informer.health()).toMatchObject({ synced: false, settled: true, refused: [refusal] });
    expect([informer.refusal("one"), informer.refusal("two")]).toMatchObject([undefined, refusal]);
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
    [true, ["it may not be read; what rests on it is left alone"], 1],
    [false, [], 0],
  ])("is told of where what rests on it is left alone (%s)", async (isVital, lines, gauges) => {
    const given = { isVital };
    const { clock, informer, stop, shown, warned } = start(
      { two: 403 },
      ["one", "two"],
      undefined,
      undefined,
      given,
    );
    await clock.advance(0);
    expect(informer.refusal("two")).toBeDefined();
    expect(warned).toEqual(lines);
    expect(await shown()).toHaveLength(gauges);
    stop.abort();
    await clock.advance(0);
    expect(await shown()).toEqual([]);
  });

  it("is not the same as one that does not answer, which is waited for", async () => {
    const { clock, informer, stop, isSettled } = start({ two: 503 }, ["one", "two"]);
    await clock.advance(10_000);
    expect([isSettled(), informer.health().settled, informer.health().refused]).toEqual([false, false, []]);
    stop.abort();
  });

  it("is as the whole cluster is where it is read at once: refused for as long as it is, of which handlers are told", async () => {
    const refusals: Record<string, number> = { "": 403 };
    const { clock, informer, stop, shown, isSettled } = start(refusals, undefined);
    const told: [string, boolean][] = [];
    informer.onRights((namespace) => told.push([namespace, informer.refusal("any") !== undefined]));
    await clock.advance(0);
    expect([isSettled(), informer.isListed("any")]).toEqual([true, false]);
    const first = informer.refusal("any");
    await clock.advance(60_000);
    const later = informer.refusal("any");
    expect([first?.forMs, later?.forMs]).toEqual([0, 60_000]);
    expect(told).toEqual([["", true]]);
    delete refusals[""];
    await clock.advance(60_000);
    expect([informer.isListed("any"), informer.refusal("any"), await shown()]).toEqual([true, undefined, []]);
    expect(told).toEqual([
      ["", true],
      ["", false],
    ]);
    stop.abort();
  });

  it("may be one that could be read before, and keeps what is known of it", async () => {
    const refusals: Record<string, number> = {};
    const { clock, informer, stop, endWatch } = start(refusals, ["one"]);
    await clock.advance(0);
    expect([informer.isListed("one"), informer.refusal("one")]).toEqual([true, undefined]);
    refusals.one = 403;
    endWatch();
    await clock.advance(60_000);
    expect(informer.refusal("one")).toBeDefined();
    expect([informer.isListed("one"), informer.store.size]).toEqual([true, 1]);
    delete refusals.one;
    await clock.advance(60_000);
    expect(informer.refusal("one")).toBeUndefined();
    stop.abort();
  });
});

describe("a collection that may be listed and not watched", () => {
  it.each<ListMode>(["Stream", "Pages"])(
    "is read again and again (%s), and nothing of it counts as refused, however long",
    async (listing) => {
      const given = { listing, mayWatch: false };
      const { clock, informer, stop, lists } = start({}, ["one"], undefined, undefined, given);
      const told: string[] = [];
      const seen = new Set<boolean>();
      informer.onRights((namespace) => told.push(namespace));
      informer.onProgress(() => seen.add(informer.refusal("one") !== undefined));
      for (let i = 0; i < 600; i++) {
        await clock.advance(1_000);
        seen.add(informer.refusal("one") !== undefined);
      }
      expect([informer.isListed("one"), told, [...seen]]).toEqual([true, [], [false]]);
      expect(lists()).toBeGreaterThan(8);
      stop.abort();
    },
  );

  it.each<ListMode>(["Stream", "Pages"])(
    "is refused once it may not be listed either (%s)",
    async (listing) => {
      const refusals: Record<string, number> = {};
      const given = { listing, mayWatch: false };
      const { clock, informer, stop } = start(refusals, ["one"], undefined, undefined, given);
      await clock.advance(60_000);
      refusals.one = 403;
      await clock.advance(120_000);
      expect(informer.refusal("one")).toBeDefined();
      stop.abort();
    },
  );
});
