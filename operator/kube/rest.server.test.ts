import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { until } from "../../test/kube/until.ts";
import { createClient } from "./client.ts";
import { createController } from "./controller.ts";
import { createInformer } from "./informer.ts";
import { createElection } from "./lease.ts";
import { createKubeMetrics } from "./metrics.ts";
import { type KubeObject, keyOf } from "./object.ts";
import { createOwnWrites } from "./own-writes.ts";
import { resources } from "./resources.ts";

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => server?.down());

/** Everything together, as an operator wires it: a controller that keeps a mark on each ConfigMap of one namespace. */
it("an operator at rest asks for nothing besides its lease, and writes each object once", async () => {
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const transport = server.transport({ metrics });
  const shutdown = new AbortController();
  const leases = createClient(transport, { lane: "lease" });
  const election = createElection({
    ...{ client: leases, namespace: "default", name: "rest", identity: "one", metrics },
    renewIntervalMs: 50,
  });
  const client = createClient(transport, { fence: election.fence });
  const resource = resources.configMaps;
  const informer = createInformer<KubeObject>({ client, resource, namespace: "default", metrics });
  const ownWrites = createOwnWrites({ metrics });
  ownWrites.observe(informer);
  const controller = createController({
    name: "marks",
    metrics,
    ownWrites,
    reconcile: async (key, { signal }) => {
      const held = informer.store.get(key.namespace, key.name);
      if (!held || held.metadata.labels?.mark === "set") return { kind: "done" };
      const marked = { metadata: { ...key, uid: held.metadata.uid, labels: { mark: "set" } } };
      await ownWrites.clientFor(key, client).apply(resource, marked, { fieldManager: "marks", signal });
      return { kind: "done" };
    },
  });
  informer.onChange(({ object, initial }) => {
    controller.enqueue(keyOf(object), { priority: initial ? "resync" : "user" });
  });
  const watching = informer.start(shutdown.signal);
  await informer.synced();
  const end = election.run(shutdown.signal, {
    onStarted: (signal) => controller.run(signal),
    onStopped: () => {},
  });

  const outside = createClient(server.transport());
  const names = ["a", "b", "c", "d"];
  for (const name of names) await outside.create(resource, { metadata: { namespace: "default", name } });
  const marked = () =>
    names.every((name) => informer.store.get("default", name)?.metadata.labels?.mark === "set");

  const requests = async (): Promise<Map<string, number>> => {
    const found = await registry.getSingleMetric("operator_api_requests_total")?.get();
    return new Map(found?.values.map(({ labels, value }) => [`${labels.verb} ${labels.resource}`, value]));
  };
  // A watch may tell of a write before the write's own answer has come, and only the answer is counted.
  const applies = async () => (await requests()).get("apply configmaps") ?? 0;
  await until("every mark, and its answer", async () => marked() && (await applies()) >= names.length);
  const before = await requests();
  const lease = "patch leases.coordination.k8s.io";
  await until(
    "twenty renewals",
    async () => ((await requests()).get(lease) ?? 0) >= (before.get(lease) ?? 0) + 20,
  );
  const after = await requests();
  const grown = [...after].filter(([what, value]) => value > (before.get(what) ?? 0)).map(([what]) => what);
  expect(grown).toEqual([lease]);
  expect(await applies()).toBe(names.length);

  shutdown.abort();
  expect(await end).toBe("released");
  await watching;
});
