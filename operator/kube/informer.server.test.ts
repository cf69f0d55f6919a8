import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { cuttable } from "../../test/kube/cut.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { isGone } from "./errors.ts";
import { createInformer, type Informer, type InformerOptions } from "./informer.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { Names, type Shape } from "./protobuf.ts";
import { OBJECT_META } from "./protobuf-watch.ts";
import { resources } from "./resources.ts";
import type { Transport } from "./transport.ts";

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

let server: ApiServer;
let client: KubeClient;
let namespace = "";
let count = 0;

beforeAll(async () => {
  server = await startApiServer(["--etcd-compaction-interval=1s"]);
  client = createClient(server.transport());
});
afterAll(async () => server?.down());
beforeEach(async () => {
  namespace = `informer-${count++}`;
  await client.create(resources.namespaces, { metadata: { name: namespace } });
});

const put = (name: string, data: Record<string, string> = {}): Promise<ConfigMap> =>
  client.apply<ConfigMap>(resources.configMaps, { metadata: { name, namespace }, data } as never, {
    fieldManager: "test",
  });
const drop = (name: string): Promise<void> => client.delete(resources.configMaps, namespace, name);

/** Starts an informer over the test's namespace and records what its handlers see, as `kind name`. */
function watchAll({ timing, ...options }: Partial<InformerOptions<ConfigMap>> = {}) {
  const seen: string[] = [];
  const stop = new AbortController();
  const line = cuttable(server.transport());
  const informer: Informer<ConfigMap> = createInformer<ConfigMap>({
    client: createClient(line),
    resource: resources.configMaps,
    namespace,
    ...options,
    timing: { backoffMs: [20, 200], ...timing },
  });
  informer.onChange(({ kind, object }) => seen.push(`${kind} ${object.metadata.name}`));
  const ended = informer.start(stop.signal);
  return { informer, seen, stop, ended, line };
}

describe("informer", () => {
  it("sees additions, updates and deletions", async () => {
    await put("before");
    const { informer, seen, stop, ended } = watchAll();
    await informer.synced();
    expect(seen).toEqual(["added before"]);
    await put("after", { x: "1" });
    await put("after", { x: "2" });
    await drop("after");
    await until("the deletion", () => seen.includes("deleted after"));
    expect(seen).toEqual(["added before", "added after", "updated after", "deleted after"]);
    expect(informer.store.get(namespace, "before")?.metadata.name).toBe("before");
    expect(informer.store.get(namespace, "after")).toBeUndefined();
    stop.abort();
    await ended;
  });

  it.each(["Stream", "Pages"] as const)("asks for nothing but metadata if told so (%s)", async (listing) => {
    await put("before", { x: "1" });
    const { informer, stop, ended } = watchAll({ metadataOnly: true, listing });
    await informer.synced();
    await put("after", { x: "1" });
    for (const name of ["before", "after"]) {
      const held = await until(name, () => informer.store.get(namespace, name));
      expect(held.metadata).toMatchObject({ name, namespace });
      expect(held.data).toBeUndefined();
    }
    stop.abort();
    await ended;
  });

  it("holds what is read of each object where it comes as protocol buffers, and follows it through a cut line", async () => {
    await put("before", { kept: "ü", dropped: "2" });
    const shape: Shape = {
      1: ["metadata", { message: OBJECT_META }],
      2: ["data", { strings: new Names("kept") }],
    };
    const { informer, seen, stop, ended, line } = watchAll({ shape });
    await informer.synced();
    const before = informer.store.get(namespace, "before");
    expect(before?.data).toEqual({ kept: "ü" });
    const { uid, resourceVersion, creationTimestamp } = await client
      .get(resources.configMaps, namespace, "before")
      .then(({ metadata }) => metadata);
    expect(before?.metadata).toEqual({ name: "before", namespace, uid, resourceVersion, creationTimestamp });
    line.cut();
    await put("after", { kept: "x".repeat(200_000) });
    await put("before", { dropped: "3" });
    line.restore();
    await until("both changes", () => seen.length === 3);
    expect(informer.store.get(namespace, "after")?.data?.kept).toHaveLength(200_000);
    expect(informer.store.get(namespace, "before")?.data).toBeUndefined();
    await drop("after");
    await until("the deletion", () => seen.includes("deleted after"));
    stop.abort();
    await ended;
  });

  it("reads long lists page by page", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `item-${index}`);
    await Promise.all(names.map((name) => put(name)));
    const { informer, stop } = watchAll({ listing: "Pages", timing: { pageSize: 3 } });
    await informer.synced();
    expect(
      informer.store
        .list()
        .map((item) => item.metadata.name)
        .sort(),
    ).toEqual(names);
    stop.abort();
  });

  it("reads what is there as the first events of its one watch", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `item-${index}`);
    await Promise.all(names.map((name) => put(name)));
    const registry = new Registry();
    const metrics = createKubeMetrics(registry);
    const { informer, seen, stop } = watchAll({
      client: createClient(server.transport({ metrics })),
      metrics,
    });
    await informer.synced();
    expect(seen.toSorted()).toEqual(names.map((name) => `added ${name}`));
    const last = await put("item-0", { x: "1" });
    await until("the change", () => informer.hasReached(namespace, last.metadata.resourceVersion));
    expect(seen.slice(7)).toEqual(["updated item-0"]);
    expect(await registry.getSingleMetricAsString("operator_watch_starts_total")).toMatch(/} 1$/);
    expect(await registry.getSingleMetricAsString("operator_api_requests_total")).not.toContain(
      'verb="list"',
    );
    stop.abort();
  });

  it("reads lists by pages from a server that does not stream them", async () => {
    const old = await startApiServer(["--feature-gates=WatchList=false"]);
    try {
      const registry = new Registry();
      const metrics = createKubeMetrics(registry);
      const other = createClient(old.transport({ metrics }));
      const body = { metadata: { name: "there", namespace: "default" } };
      const { metadata } = await other.create(resources.configMaps, body);
      const { informer, stop, ended } = watchAll({ client: other, namespace: "default", metrics });
      await informer.synced();
      expect(informer.store.get("default", "there")?.metadata.uid).toBe(metadata.uid);
      const requests = await registry.getSingleMetricAsString("operator_api_requests_total");
      expect(requests).toMatch(/verb="watch",resource="configmaps",code="422"} 1/);
      expect(requests).toMatch(/verb="list",resource="configmaps",code="200"} 1/);
      await other.delete(resources.configMaps, "default", "there");
      await until("the deletion", () => informer.store.size === 0);
      stop.abort();
      await ended;
    } finally {
      await old.down();
    }
  });

  it("survives a restart of the API server and sees what was deleted and made again meanwhile", async () => {
    const other = createClient(server.transport());
    const { informer, seen, stop } = watchAll();
    const first = await put("reborn");
    await put("steady");
    await until("both objects", () => seen.length === 2);
    await server.stopServer();
    await until("the loss", () => informer.health().phases[0] === "waiting");
    await server.startServer();
    await other.delete(resources.configMaps, namespace, "reborn");
    const second = await put("reborn");
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await until(
      "the new object",
      () => informer.store.get(namespace, "reborn")?.metadata.uid === second.metadata.uid,
    );
    expect(seen).toEqual(["added reborn", "added steady", "deleted reborn", "added reborn"]);
    await put("after", {});
    await until("a change after the restart", () => seen.includes("added after"));
    stop.abort();
  });

  it("resumes a broken watch without listing again", async () => {
    const registry = new Registry();
    const { informer, seen, stop, line } = watchAll({ metrics: createKubeMetrics(registry) });
    await put("before");
    await until("the first object", () => seen.length === 1);
    line.cut();
    await until("the loss", () => informer.health().phases[0] === "waiting");
    await put("meanwhile");
    await drop("before");
    line.restore();
    await until("both changes", () => seen.length === 3);
    expect(seen).toEqual(["added before", "added meanwhile", "deleted before"]);
    expect(await registry.getSingleMetricAsString("operator_relists_total")).toMatch(
      /reason="start"[^}]*} 1$/,
    );
    stop.abort();
  });

  it.each([
    ["JSON", undefined],
    ["protocol buffers", { 1: ["metadata", { message: OBJECT_META }] } satisfies Shape],
  ])(
    "lists again when history is gone (410), and tells both halves of a recreation it could not see (%s)",
    async (_, shape) => {
      const registry = new Registry();
      const { informer, seen, stop, line } = watchAll({ metrics: createKubeMetrics(registry), shape });
      const first = await put("reborn");
      await put("removed");
      await put("kept");
      await until("all objects", () => seen.length === 3);
      line.cut();
      await drop("removed");
      await drop("reborn");
      const second = await put("reborn");
      // The server's watch cache forgets what came before its start.
      await server.stopServer();
      await server.startServer();
      expect(informer.store.get(namespace, "reborn")?.metadata.uid).toBe(first.metadata.uid);
      line.restore();
      await until(
        "the new state",
        () => informer.store.get(namespace, "reborn")?.metadata.uid === second.metadata.uid,
      );
      expect(seen.slice(3).sort()).toEqual(["added reborn", "deleted reborn", "deleted removed"]);
      expect(seen.indexOf("deleted reborn")).toBeLessThan(seen.lastIndexOf("added reborn"));
      expect(await registry.getSingleMetricAsString("operator_relists_total")).toContain('reason="expired"');
      stop.abort();
    },
  );

  it("starts a long list over when its continue token has expired by compaction", async () => {
    for (const name of ["a", "b", "c"]) await put(name);
    const transport = server.transport();
    const registry = new Registry();
    const refusals: number[] = [];
    /** Waits before the second page until etcd has forgotten the version of the first. */
    const slow: Transport = {
      ...transport,
      async send(request) {
        const continueToken = String(request.query?.continue ?? "");
        const page = { namespace, limit: 1, continueToken };
        const forgotten = () =>
          client.listPage(resources.configMaps, page).then(
            () => false,
            (error: unknown) => isGone(error),
          );
        if (continueToken !== "" && refusals.length === 0) await until("compaction", forgotten, 60_000);
        return transport.send(request).catch((error: unknown) => {
          if (isGone(error)) refusals.push(error.code);
          throw error;
        });
      },
    };
    const { informer, stop } = watchAll({
      client: createClient(slow),
      metrics: createKubeMetrics(registry),
      listing: "Pages",
      timing: { pageSize: 1 },
    });
    await informer.synced();
    expect(refusals).toEqual([410]);
    expect(informer.store.list().map((item) => item.metadata.name)).toEqual(["a", "b", "c"]);
    stop.abort();
  });

  it("keeps the last good state while the server is unreachable", async () => {
    const { informer, seen, stop, line } = watchAll();
    await put("kept");
    await until("the object", () => seen.length === 1);
    line.cut();
    await until("the loss", () => informer.health().phases[0] === "waiting");
    expect(informer.store.size).toBe(1);
    expect(seen).toEqual(["added kept"]);
    stop.abort();
  });

  it("takes a silent watch for dead", async () => {
    const registry = new Registry();
    const { informer, stop } = watchAll({ metrics: createKubeMetrics(registry), timing: { silenceMs: 300 } });
    await informer.synced();
    await until("a new list", async () =>
      (await registry.getSingleMetricAsString("operator_relists_total")).includes('reason="silent"'),
    );
    stop.abort();
  });

  it("watches several namespaces, each by itself", async () => {
    const second = `${namespace}-second`;
    await client.create(resources.namespaces, { metadata: { name: second } });
    await put("here");
    const { informer, seen, stop } = watchAll({ namespace: [namespace, second] });
    await informer.synced();
    await client.create(resources.configMaps, { metadata: { name: "there", namespace: second } });
    await client.create(resources.configMaps, { metadata: { name: "elsewhere", namespace: "default" } });
    await until("the second namespace", () => seen.includes("added there"));
    expect(seen).toEqual(["added here", "added there"]);
    expect(informer.store.list(second)).toHaveLength(1);
    expect([informer.covers(second), informer.covers("default")]).toEqual([true, false]);
    stop.abort();
  });
});
