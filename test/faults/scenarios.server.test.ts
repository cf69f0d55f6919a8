import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { createInformer, type Informer } from "../../operator/kube/informer.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { createElection } from "../../operator/kube/lease.ts";
import { createKubeMetrics } from "../../operator/kube/metrics.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import type { ListMode } from "../../operator/kube/reflector-state.ts";
import { resources } from "../../operator/kube/resources.ts";
import { createTransport, type Transport } from "../../operator/kube/transport.ts";
import { type ApiServer, startApiServer } from "../kube/api-server.ts";
import { until } from "../kube/until.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";
import { asksForState, isWrite, type KubeRequest } from "./request.ts";
import {
  answer,
  conflict,
  cutWatch,
  gone,
  historyGone,
  hung,
  invalid,
  reset,
  tooManyRequests,
} from "./strike.ts";

/** Faults of the line and of the server, by their numbers in the list of scenarios that the operator must survive. */

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

let server: ApiServer;
/** Past the proxy: what a person does meanwhile. */
let direct: KubeClient;
let proxy: FaultProxy;
let transport: Transport;
let client: KubeClient;
let registry: Registry;
let stop: AbortController;
let watching: Promise<void> | undefined;
let namespace = "";
let count = 0;

beforeAll(async () => {
  server = await startApiServer();
  direct = createClient(server.transport());
});
afterAll(async () => server?.down());

beforeEach(async () => {
  namespace = `faults-${count++}`;
  await direct.create(resources.namespaces, { metadata: { name: namespace } });
  proxy = await startFaultProxy(server.kubeconfig);
  registry = new Registry();
  transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: proxy.kubeconfigPath }),
    userAgent: "faults",
    metrics: createKubeMetrics(registry),
  });
  client = createClient(transport);
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await watching;
  watching = undefined;
  await transport.close();
  await proxy.close();
});

const put = (name: string, data: Record<string, string> = {}, by = direct): Promise<ConfigMap> =>
  by.apply<ConfigMap>(resources.configMaps, { metadata: { name, namespace }, data } as never, {
    fieldManager: "test",
  });
const drop = (name: string) => direct.delete(resources.configMaps, namespace, name);

function watch(
  timing: object = {},
  listing: ListMode = "Stream",
): { readonly informer: Informer<ConfigMap>; readonly seen: string[] } {
  const seen: string[] = [];
  const informer = createInformer<ConfigMap>({
    client,
    resource: resources.configMaps,
    namespace,
    metrics: createKubeMetrics(registry, "informer_"),
    listing,
    timing: { backoffMs: [20, 200], ...timing },
  });
  informer.onChange(({ kind, object }) => seen.push(`${kind} ${object.metadata.name}`));
  watching = informer.start(stop.signal);
  return { informer, seen };
}

const names = (informer: Informer<ConfigMap>) =>
  informer.store
    .list()
    .map(({ metadata }) => metadata.name)
    .sort();
const isList = ({ verb }: KubeRequest) => verb === "list";
const isWatch = ({ verb }: KubeRequest) => verb === "watch";
const isStream = (request: KubeRequest) => isWatch(request) && asksForState(request);
const isPlainWatch = (request: KubeRequest) => isWatch(request) && !asksForState(request);
const relists = async (reason: string) =>
  (await registry.getSingleMetricAsString("informer_relists_total")).includes(`reason="${reason}"`);
/** How many objects were told, in lists that were streamed and after them. */
const told = async () =>
  Number(
    /type="ADDED"} (\d+)/.exec(await registry.getSingleMetricAsString("informer_watch_events_total"))?.[1] ??
      0,
  );

describe("scenario 5: an object deleted and made again while nobody could see it", () => {
  it("is a deletion and an addition, also where the watch only shows the last state", async () => {
    const { informer, seen } = watch();
    const first = await put("reborn");
    await until("the first", () => seen.length === 1);
    proxy.cutOff();
    await drop("reborn");
    const second = await put("reborn");
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await proxy.restore();
    await until(
      "the second",
      () => informer.store.get(namespace, "reborn")?.metadata.uid === second.metadata.uid,
    );
    expect(seen).toEqual(["added reborn", "deleted reborn", "added reborn"]);
  });
});

describe("scenario 7: a watch that is frozen while its connection lives", () => {
  it("is taken for dead, and the store is current again without the ice melting", async () => {
    const { informer, seen } = watch({ silenceMs: 400 });
    await put("before");
    await until("the first", () => seen.length === 1);
    await until("the watch", () =>
      proxy.requests.some((request) => isWatch(request) && request.code === 200),
    );
    // Only the watch that is open now: the next one is a new connection.
    const ice = proxy.freeze(
      (
        (open) => (request: KubeRequest) =>
          isWatch(request) && open.has(request)
      )(new Set<KubeRequest>(proxy.requests.filter(isWatch))),
    );
    await put("after");
    await until("the second", () => seen.includes("added after"));
    // On a slow machine the watch that was open may have fallen silent before the ice came, and its successor told of the second.
    await until("a list for the silence", () => relists("silent"));
    expect(names(informer)).toEqual(["after", "before"]);
    ice.thaw();
  });
});

describe("scenario 8: history is gone", () => {
  it("at the continuation of a list: it starts over, and nothing is taken for deleted", async () => {
    for (const name of ["a", "b", "c", "d"]) await put(name);
    const rule = proxy.when((request) => isList(request) && request.query.has("continue"), gone(), {
      times: 1,
    });
    const { informer, seen } = watch({ pageSize: 2 }, "Pages");
    await informer.synced();
    expect(rule.struck).toBe(1);
    expect(names(informer)).toEqual(["a", "b", "c", "d"]);
    expect(seen.every((one) => one.startsWith("added"))).toBe(true);
  });

  it("in the middle of a list that is streamed: it starts over, and nothing is taken for deleted", async () => {
    for (const name of ["a", "b", "c", "d"]) await put(name);
    const rule = proxy.when(isStream, historyGone(2), { times: 1 });
    const { informer, seen } = watch();
    await informer.synced();
    expect(rule.struck).toBe(1);
    expect(await told()).toBe(2 + 4);
    expect(names(informer)).toEqual(["a", "b", "c", "d"]);
    expect(seen).toEqual(["added a", "added b", "added c", "added d"]);
  });

  it.each(["Stream", "Pages"] as const)(
    "at the start of a watch: it lists again, and nothing is told twice (%s)",
    async (listing) => {
      await put("kept");
      const rule = proxy.when(isPlainWatch, gone(), { times: 1 });
      const { informer, seen } = watch({}, listing);
      await informer.synced();
      proxy.cutAll();
      await until("a list for it", () => relists("expired"));
      await put("later");
      await until("a change after it", () => seen.includes("added later"));
      expect(rule.struck).toBe(1);
      expect(seen).toEqual(["added kept", "added later"]);
    },
  );

  it("in the middle of a watch: it lists again and sees what it missed", async () => {
    await put("kept");
    await put("removed");
    const rule = proxy.when(isPlainWatch, historyGone(), { times: 1 });
    const { informer, seen } = watch();
    await informer.synced();
    proxy.cutAll();
    await until("a list for it", () => relists("expired"));
    await drop("removed");
    await until("the deletion", () => seen.includes("deleted removed"));
    expect(rule.struck).toBe(1);
    expect(names(informer)).toEqual(["kept"]);
  });
});

describe("scenario 9: a list that fails half way", () => {
  const laterPage = (request: KubeRequest) => isList(request) && request.query.has("continue");
  it.each([
    ["at a later page", "Pages", laterPage, reset(), 0],
    ["in the stream", "Stream", isStream, cutWatch(2), 3 + 2 + 2],
  ] as const)("%s leaves the old state until a whole list has come", async (...row) => {
    const [, listing, matches, strike, leastTold] = row;
    for (const name of ["a", "b", "c"]) await put(name);
    const { informer, seen } = watch({ pageSize: 1 }, listing);
    await informer.synced();
    const rule = proxy.when(matches, strike);
    const noWatch = proxy.when(isPlainWatch, gone());
    proxy.cutAll();
    await until("three tries", () => rule.struck >= 3);
    expect(await told()).toBeGreaterThanOrEqual(leastTold);
    expect(names(informer)).toEqual(["a", "b", "c"]);
    expect(seen).toHaveLength(3);
    rule.remove();
    noWatch.remove();
    await drop("b");
    await until("the deletion", () => seen.includes("deleted b"));
    expect(names(informer)).toEqual(["a", "c"]);
  });
});

describe("a list that is streamed", () => {
  it("shows nothing before it is whole, and then all of it at once", async () => {
    for (const name of ["a", "b", "c"]) await put(name);
    const ice = proxy.freeze(isStream);
    const { informer, seen } = watch();
    await until("the whole list at the proxy", () => ice.waiting === 4);
    await put("d");
    await drop("a");
    await until("what changed meanwhile", () => ice.waiting === 6);
    expect([seen, informer.health()]).toMatchObject([[], { synced: false, phases: ["streaming"] }]);
    ice.thaw();
    await until("what changed meanwhile", () => seen.includes("deleted a"));
    expect(seen).toEqual(["added a", "added b", "added c", "added d", "deleted a"]);
    expect(proxy.requests.filter(({ verb }) => ["list", "watch"].includes(verb))).toHaveLength(1);
  });

  it("is read by pages where the server refuses it, and not asked for again", async () => {
    await put("kept");
    const rule = proxy.when(isStream, invalid());
    const { informer, seen } = watch();
    await informer.synced();
    proxy.when(isPlainWatch, gone(), { times: 1 });
    proxy.cutAll();
    await until("a second list", () => relists("expired"));
    await put("later");
    await until("a change after it", () => seen.includes("added later"));
    expect(rule.struck).toBe(1);
    expect(proxy.requests.filter(isList).length).toBeGreaterThan(1);
  });
});

describe("scenario 10: changes that are overwritten before they are seen", () => {
  it("leave the last state, and the state between is never shown", async () => {
    const { informer, seen } = watch();
    await put("flips", { is: "A" });
    await until("the first", () => seen.length === 1);
    const ice = proxy.freeze(isWatch);
    await put("flips", { is: "B" });
    const last = await put("flips", { is: "A" });
    await put("behind");
    await until("all three at the proxy", () => ice.waiting === 3);
    ice.thaw("Coalesced");
    await until("the last", () => seen.includes("added behind"));
    expect(informer.store.get(namespace, "flips")?.metadata.resourceVersion).toBe(
      last.metadata.resourceVersion,
    );
    expect(seen.filter((one) => one === "updated flips").length).toBeLessThanOrEqual(1);
  });
});

describe("scenario 11: a conflict at every second write", () => {
  it("is told to the caller as one, and the write after it goes through", async () => {
    let writes = 0;
    proxy.when((request) => isWrite(request) && writes++ % 2 === 0, conflict());
    await expect(put("contested", { n: "1" }, client)).rejects.toMatchObject({ reason: "Conflict" });
    await put("contested", { n: "1" }, client);
    const { data } = await direct.get<ConfigMap>(resources.configMaps, namespace, "contested");
    expect(data).toEqual({ n: "1" });
  });
});

describe("scenario 12: the server is overloaded", () => {
  it("is waited for as long as it asks, and the lease is renewed meanwhile", async () => {
    const leases = createClient(transport, { lane: "lease" });
    const election = createElection({
      ...{ client: leases, namespace, name: "busy", identity: "one" },
      ...{ leaseDurationMs: 2_000, renewIntervalMs: 100, renewDeadlineMs: 1_500, retryMs: 100 },
    });
    const shutdown = new AbortController();
    const end = election.run(shutdown.signal, { onStarted: () => {}, onStopped: () => {} });
    await until("the leader", () => election.isLeader());
    const rule = proxy.when(({ resource }) => resource === "configmaps", tooManyRequests(1), { times: 2 });
    const renewals = () =>
      proxy.requests.filter(({ resource, verb }) => resource === "leases" && verb !== "get").length;
    const before = renewals();
    const [first, second, third] = await attempts(() => put("throttled", {}, client));
    expect(rule.struck).toBe(2);
    // Never sooner than it was told to.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(renewals()).toBeGreaterThan(before + 5);
    expect(election.isLeader()).toBe(true);
    shutdown.abort();
    expect(await end).toBe("released");
  });
});

/** When each try of a write to ConfigMaps reached the proxy. */
async function attempts(work: () => Promise<unknown>): Promise<number[]> {
  const from = proxy.requests.length;
  await work();
  return proxy.requests
    .slice(from)
    .flatMap((request) => (request.resource === "configmaps" ? [request.atMs] : []));
}

describe("scenario 13: a storm of failures", () => {
  it.each([
    ["500", answer(500)],
    ["503", answer(503)],
    ["connections that are reset", reset()],
    ["connections that are reset after the server has done it", reset(true)],
  ])("%s: a write that may be sent twice is sent until it is answered", async (_, strike) => {
    const rule = proxy.when(isWrite, strike, { times: 2 });
    await put("stormy", { n: "1" }, client);
    expect(rule.struck).toBe(2);
    expect((await direct.get<ConfigMap>(resources.configMaps, namespace, "stormy")).data).toEqual({ n: "1" });
  });

  it("a creation whose answer was lost is not sent again: who asked for it must look", async () => {
    proxy.when(isWrite, reset(true), { times: 1 });
    const body = { metadata: { name: "once", namespace } };
    await expect(client.create(resources.configMaps, body)).rejects.toThrow();
    expect(proxy.requests.filter(isWrite)).toHaveLength(1);
    await direct.get(resources.configMaps, namespace, "once");
  });

  it("a watch comes back without a list when the storm is over", async () => {
    const { seen } = watch();
    await put("before");
    await until("the first", () => seen.length === 1);
    const lists = () => proxy.requests.filter(asksForState).length;
    const listed = lists();
    const rules = [answer(500), answer(503), reset()].map((strike) =>
      proxy.when(isWatch, strike, { times: 2 }),
    );
    proxy.cutAll();
    await put("during");
    await until("the second", () => seen.includes("added during"));
    expect(rules.map(({ struck }) => struck)).toEqual([2, 2, 2]);
    expect(lists()).toBe(listed);
  });
});

describe("a server that takes a request and never answers", () => {
  it("is given up at the deadline, and the connection is not used again", async () => {
    proxy.when(({ verb }) => verb === "get", hung(), { times: 1 });
    const short = createTransport({
      kubeConfig: loadKubeConfig({ kubeconfig: proxy.kubeconfigPath }),
      userAgent: "faults",
      deadlineMs: 500,
    });
    try {
      const impatient = createClient(short);
      await put("there");
      await expect(impatient.get(resources.configMaps, namespace, "there")).rejects.toThrow(
        /no answer within 0.5 s/,
      );
      await impatient.get(resources.configMaps, namespace, "there");
    } finally {
      await short.close();
    }
  });
});
