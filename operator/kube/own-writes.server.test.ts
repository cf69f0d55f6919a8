import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { type CuttableTransport, cuttable } from "../../test/kube/cut.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { createInformer, type Informer } from "./informer.ts";
import type { KubeObject, ObjectKey } from "./object.ts";
import { createOwnWrites, type OwnWrites } from "./own-writes.ts";
import { resources } from "./resources.ts";

const namespace = "default";
const owner: ObjectKey = { namespace, name: "owner" };
const other: ObjectKey = { namespace, name: "other" };
const fieldManager = "test";
let server: ApiServer;
let client: KubeClient;
let line: CuttableTransport;
let informer: Informer<KubeObject>;
let ownWrites: OwnWrites;
const stop = new AbortController();
const became: string[] = [];

beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport());
  line = cuttable(server.transport());
  informer = createInformer({
    client: createClient(line),
    resource: resources.configMaps,
    timing: { backoffMs: [10, 20] },
  });
  ownWrites = createOwnWrites({ patienceMs: 3000 });
  ownWrites.observe(informer);
  ownWrites.onReady((key) => became.push(key.name));
  void informer.start(stop.signal);
  await informer.synced();
});
afterAll(async () => {
  stop.abort();
  await server?.down();
});

const body = (name: string, data: Record<string, string>) => ({ metadata: { name, namespace }, data });

/** Cuts the informer off while `write` runs, so that the cache is certainly behind when it returns. */
async function blindly(write: (tracked: KubeClient) => Promise<unknown>): Promise<void> {
  line.cut();
  await until("the loss", () => informer.health().phases[0] === "waiting");
  await write(ownWrites.clientFor(owner, client));
}

describe("own writes", () => {
  it("hold back the key that wrote, and no other, until the cache shows the write", async () => {
    await blindly((tracked) => tracked.apply(resources.configMaps, body("a", { x: "1" }), { fieldManager }));
    expect(ownWrites.ready(owner)).toBe(false);
    expect(ownWrites.ready(other)).toBe(true);
    line.restore();
    await until("readiness", () => ownWrites.ready(owner));
    expect(informer.store.get(namespace, "a")).toBeDefined();
    expect(became).toEqual(["owner"]);
  });

  it("need not wait for a write that changed nothing", async () => {
    const same = body("a", { x: "1" });
    const before = informer.store.get(namespace, "a")?.metadata.resourceVersion;
    const answer = await ownWrites
      .clientFor(owner, client)
      .apply(resources.configMaps, same, { fieldManager });
    expect(answer.metadata.resourceVersion).toBe(before);
    expect(ownWrites.ready(owner)).toBe(true);
  });

  it("need not wait for dry runs and for resources that nobody watches", async () => {
    await blindly(async (tracked) => {
      await tracked.apply(resources.configMaps, body("a", { x: "2" }), { fieldManager, dryRun: true });
      await tracked.apply(
        resources.serviceAccounts,
        { metadata: { name: "sa", namespace } },
        { fieldManager },
      );
    });
    expect(ownWrites.ready(owner)).toBe(true);
    line.restore();
  });

  it("wait for a deletion to be seen", async () => {
    await until("a live watch", () => informer.health().phases[0] === "watching");
    await blindly((tracked) => tracked.delete(resources.configMaps, namespace, "a"));
    expect(ownWrites.ready(owner)).toBe(false);
    line.restore();
    await until("readiness", () => ownWrites.ready(owner));
    expect(informer.store.get(namespace, "a")).toBeUndefined();
  });

  it("count as seen when somebody deleted the object right after", async () => {
    await blindly(async (tracked) => {
      await tracked.apply(resources.configMaps, body("short", {}), { fieldManager });
      await client.delete(resources.configMaps, namespace, "short");
    });
    line.restore();
    await until("readiness", () => ownWrites.ready(owner), 2000);
  });

  it("fail open when the cache does not catch up", async () => {
    await until("a live watch", () => informer.health().phases[0] === "watching");
    await blindly((tracked) => tracked.apply(resources.configMaps, body("b", {}), { fieldManager }));
    expect(ownWrites.ready(owner)).toBe(false);
    await until("readiness", () => ownWrites.ready(owner), 4000);
    expect(informer.store.get(namespace, "b")).toBeUndefined();
    line.restore();
  });

  it("are waited for no longer than the cache is observed in which they were to be seen", async () => {
    const stale = createInformer<KubeObject>({ client: createClient(line), resource: resources.services });
    const ignore = ownWrites.observe(stale);
    const service = { metadata: { name: "s", namespace }, spec: { ports: [{ port: 80 }] } };
    await ownWrites.clientFor(owner, client).apply(resources.services, service, { fieldManager });
    expect(ownWrites.ready(owner)).toBe(false);
    ignore();
    expect(ownWrites.ready(owner)).toBe(true);
  });
});
