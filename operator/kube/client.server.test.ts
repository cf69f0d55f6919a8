import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { createClient, type KubeClient } from "./client.ts";
import {
  isAlreadyExists,
  isConflict,
  isFieldConflict,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
} from "./errors.ts";
import { addFinalizer, removeFinalizer } from "./finalizers.ts";
import { loadKubeConfig } from "./kubeconfig.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import type { Shape } from "./protobuf.ts";
import { OBJECT_META } from "./protobuf-watch.ts";
import { resources } from "./resources.ts";
import { createTransport } from "./transport.ts";

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
const namespace = "default";
const { configMaps, deployments, namespaces } = resources;
const ours = { fieldManager: "ours" };
let server: ApiServer;
let client: KubeClient;
const registry = new Registry();

beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport({ metrics: createKubeMetrics(registry) }));
});
afterAll(async () => server?.down());

const body = (name: string, data: object = {}, metadata: object = {}) => ({
  metadata: { name, namespace, ...metadata },
  data,
});

describe("apply", () => {
  it("creates, changes, and leaves the version alone when nothing changes", async () => {
    const first = await client.apply<ConfigMap>(configMaps, body("apply", { a: "1", b: "1" }), ours);
    const second = await client.apply<ConfigMap>(configMaps, body("apply", { a: "2" }), ours);
    expect(second.data).toEqual({ a: "2" });
    expect(second.metadata.uid).toBe(first.metadata.uid);
    const third = await client.apply<ConfigMap>(configMaps, body("apply", { a: "2" }), ours);
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  it("takes fields of others by default and reports whose they are when told not to", async () => {
    await client.apply(configMaps, body("fields", { a: "1" }), { fieldManager: "theirs" });
    const unforced = client.apply(configMaps, body("fields", { a: "2" }), { ...ours, force: false });
    await expect(unforced).rejects.toSatisfy(isFieldConflict);
    const forced = await client.apply<ConfigMap>(configMaps, body("fields", { a: "2" }), ours);
    expect(forced.data).toEqual({ a: "2" });
  });

  it("fails with a conflict when a precondition does not hold", async () => {
    const { metadata } = await client.apply(configMaps, body("conditions"), ours);
    const { uid, resourceVersion } = metadata;
    const attempt = (name: string, conditions: object) =>
      client.apply(configMaps, body(name, { x: "1" }, conditions), ours);
    await expect(attempt("conditions", { resourceVersion: "1" })).rejects.toSatisfy(isConflict);
    await expect(attempt("conditions", { uid: "another" })).rejects.toSatisfy(isConflict);
    await expect(attempt("missing", { uid })).rejects.toSatisfy(isConflict);
    await attempt("conditions", { uid, resourceVersion });
    await expect(client.get(configMaps, namespace, "missing")).rejects.toSatisfy(isNotFound);
  });

  it("refuses fields that the server would drop, and sends them only once", async () => {
    const wrong = { ...body("strict"), datum: {} };
    await expect(client.apply(configMaps, wrong, ours)).rejects.toSatisfy(isInvalid);
    expect(await registry.getSingleMetricAsString("operator_api_retries_total")).not.toContain('code="500"');
  });

  it("writes nothing in a dry run", async () => {
    await client.apply(configMaps, body("dry"), { ...ours, dryRun: true });
    await expect(client.get(configMaps, namespace, "dry")).rejects.toSatisfy(isNotFound);
  });

  it("writes status through its own subresource, and only there", async () => {
    const selector = { matchLabels: { app: "x" } };
    const template = {
      metadata: { labels: { app: "x" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    };
    const spec = { replicas: 2, selector, template };
    const metadata = { name: "status", namespace };
    await client.apply(deployments, { metadata, spec } as never, ours);
    type Deployment = KubeObject & { spec: { replicas: number }; status?: { replicas?: number } };
    const status = { replicas: 2, observedGeneration: 1 };
    const withStatus = { metadata, spec: { ...spec, replicas: 9 }, status } as never;
    const after = await client.applyStatus<Deployment>(deployments, withStatus, {
      fieldManager: "ours-status",
    });
    expect(after).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 2 } });
    expect(after.metadata.generation).toBe(1);
  });
});

describe("other writes", () => {
  it("create fails when there is one", async () => {
    await client.create(configMaps, body("made"));
    await expect(client.create(configMaps, body("made"))).rejects.toSatisfy(isAlreadyExists);
    await expect(client.create(configMaps, body("made"))).rejects.not.toSatisfy(isConflict);
  });

  it("delete spares an object that is not the one meant, or has changed", async () => {
    const { metadata } = await client.create(configMaps, body("deleted"));
    const attempt = (conditions: object) => client.delete(configMaps, namespace, "deleted", conditions);
    await expect(attempt({ uid: "another" })).rejects.toSatisfy(isConflict);
    await expect(attempt({ resourceVersion: "1" })).rejects.toSatisfy(isConflict);
    await attempt({
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      propagationPolicy: "Background",
    });
    await expect(attempt({})).rejects.toSatisfy(isNotFound);
  });

  it("a merge patch can carry the version it rests on", async () => {
    const { metadata } = await client.create(configMaps, body("merged"));
    const patch = (resourceVersion: string) =>
      client.mergePatch(configMaps, namespace, "merged", { metadata: { resourceVersion }, data: { x: "1" } });
    await patch(metadata.resourceVersion);
    await expect(patch(metadata.resourceVersion)).rejects.toSatisfy(isConflict);
  });

  it("says that a namespace is going away", async () => {
    await client.create(namespaces, { metadata: { name: "going" } });
    await client.delete(namespaces, "", "going");
    const late = client.create(configMaps, { metadata: { name: "late", namespace: "going" } });
    await expect(late).rejects.toSatisfy(isNamespaceTerminating);
  });
});

describe("watch", () => {
  it("tells what is there before what changes, and where the one ends", async () => {
    const names = ["streamed-a", "streamed-b"];
    const metadata = { namespace, labels: { suite: "watch" } };
    const made = async (name: string) =>
      client.create<ConfigMap>(configMaps, { metadata: { ...metadata, name } });
    for (const name of names) await made(name);
    const options = { namespace, labelSelector: "suite=watch", timeoutSeconds: 60 };
    const told: string[] = [];
    for await (const event of await client.watch(configMaps, { ...options, initialEvents: true })) {
      if (event.type === "ERROR") throw new Error(event.status.message);
      told.push("object" in event ? event.object.metadata.name : `end: ${event.initialEventsEnd}`);
      if (event.type === "BOOKMARK") await made("streamed-c");
      if (told.length === 4) break;
    }
    expect(told).toEqual([...names, "end: true", "streamed-c"]);
  });
});

describe("finalizers", () => {
  const finalizer = "example.com/ours";

  it("are added once and removed without touching those of others", async () => {
    const made = await client.create(configMaps, body("guarded"));
    const first = await addFinalizer(client, configMaps, made, "example.com/theirs");
    const second = await addFinalizer(client, configMaps, first, finalizer);
    expect(second.metadata.finalizers).toEqual(["example.com/theirs", finalizer]);
    expect(await addFinalizer(client, configMaps, second, finalizer)).toBe(second);
    const third = await removeFinalizer(client, configMaps, second, finalizer);
    expect(third.metadata.finalizers).toEqual(["example.com/theirs"]);
    expect(await removeFinalizer(client, configMaps, third, finalizer)).toBe(third);
  });

  it("conflict when the list changed since it was read", async () => {
    const made = await client.create(configMaps, body("raced"));
    await addFinalizer(client, configMaps, made, "example.com/theirs");
    await expect(addFinalizer(client, configMaps, made, finalizer)).rejects.toSatisfy(isConflict);
    const now = await client.get(configMaps, namespace, "raced");
    const both = await addFinalizer(client, configMaps, now, finalizer);
    await removeFinalizer(client, configMaps, both, "example.com/theirs");
    await expect(removeFinalizer(client, configMaps, both, finalizer)).rejects.toSatisfy(isConflict);
  });
});

describe("finalizers that an admission policy guards", () => {
  const finalizer = "example.com/ours";
  const group = "admissionregistration.k8s.io";
  const common = { group, version: "v1", namespaced: false } as const;
  const policies = { ...common, plural: "validatingadmissionpolicies", kind: "ValidatingAdmissionPolicy" };
  const bindings = {
    ...common,
    plural: "validatingadmissionpolicybindings",
    kind: "ValidatingAdmissionPolicyBinding",
  };
  const REFUSAL = "nobody changes this";

  it("are refused in its words, and not as if somebody else had been faster", async () => {
    const held = await client.create(
      configMaps,
      body("policed", {}, { finalizers: [finalizer], labels: { policed: "true" } }),
    );
    const policy = {
      metadata: { name: "policed" },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["configmaps"] },
          ],
          objectSelector: { matchLabels: { policed: "true" } },
        },
        validations: [{ expression: "false", message: REFUSAL }],
      },
    };
    const binding = { policyName: "policed", validationActions: ["Deny"] };
    await client.create(policies, policy);
    await client.create(bindings, { metadata: { name: "policed" }, spec: binding } as never);
    // It takes a moment until a policy is in force.
    await expect
      .poll(() =>
        client
          .mergePatch(configMaps, namespace, "policed", { data: { x: String(performance.now()) } })
          .catch(String),
      )
      .toContain(REFUSAL);
    const edits = [
      () => addFinalizer(client, configMaps, held, "example.com/theirs"),
      () => removeFinalizer(client, configMaps, held, finalizer),
    ];
    for (const edit of edits) {
      await expect(edit()).rejects.toSatisfy(isInvalid);
      await expect(edit()).rejects.toThrow(REFUSAL);
    }
    await client.delete(bindings, "", "policed");
    await client.delete(policies, "", "policed");
  });
});

describe("transport", () => {
  it("uses one connection again and again", async () => {
    const transport = createTransport({
      kubeConfig: loadKubeConfig({ kubeconfig: server.kubeconfig }),
      userAgent: "connections",
    });
    const one = createClient(transport);
    let opened = 0;
    const count = (): void => {
      opened++;
    };
    subscribe("undici:client:connected", count);
    for (let turn = 0; turn < 20; turn++) await one.get(namespaces, "", "default");
    unsubscribe("undici:client:connected", count);
    // The second opens when a request comes before the connection of the first is marked free again.
    expect(opened).toBeLessThanOrEqual(2);
    await transport.close();
  });

  it("counts answers by verb, resource and code", async () => {
    await client.get(configMaps, namespace, "nowhere").catch(() => {});
    const text = await registry.getSingleMetricAsString("operator_api_requests_total");
    expect(text).toMatch(/verb="get",resource="configmaps",code="404"/);
  });

  it("ends a request with its signal, and at its deadline", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(client.get(namespaces, "", "default", { signal })).rejects.toThrow("enough");

    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as { port: number };
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "mute", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: "anybody" },
    );
    const transport = createTransport({ kubeConfig: config, userAgent: "deadline", deadlineMs: 200 });
    const call = createClient(transport).get(namespaces, "", "default");
    await expect(call).rejects.toThrow("get namespaces default: no answer within 0.2 s");
    await transport.close();
    mute.close();
  });

  it("sends no write that was given up while its connection was made, once it is", async () => {
    const config = loadKubeConfig({ kubeconfig: server.kubeconfig });
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error("there is no cluster");
    const { port } = new URL(cluster.server);
    const held: Socket[] = [];
    const connect = (from: Socket): void => {
      const on = createConnection(Number(port), "127.0.0.1");
      for (const [one, other] of [
        [from, on],
        [on, from],
      ] as const)
        one.on("error", () => other.destroy()).pipe(other);
    };
    let isOpen = false;
    // Connections are taken, and wait.
    const slow = createServer((socket) => {
      if (isOpen) connect(socket);
      else held.push(socket);
    }).listen(0, "127.0.0.1");
    await once(slow, "listening");
    const address = slow.address() as { port: number };
    config.clusters = [{ ...cluster, server: `https://127.0.0.1:${address.port}` }];
    const transport = createTransport({ kubeConfig: config, userAgent: "given-up", maxInFlight: 1 });
    const late = createClient(transport);
    const stop = new AbortController();
    const write = late.create(configMaps, body("given-up"), { signal: stop.signal });
    write.catch(() => {});
    await once(slow, "connection");
    stop.abort(new Error("no longer wanted"));
    await expect(write).rejects.toThrow("no longer wanted");
    isOpen = true;
    for (const socket of held) connect(socket);
    // Behind the write: there may be only one connection at a time.
    await late.get(namespaces, "", "default");
    await expect(client.get(configMaps, namespace, "given-up")).rejects.toSatisfy(isNotFound);
    await transport.close();
    slow.close();
  });

  it("reports missing rights as what they are", async () => {
    const config = loadKubeConfig({ kubeconfig: server.kubeconfig });
    const user = { ...config.getCurrentUser(), name: "nobody", impersonateUser: "nobody" };
    config.loadFromClusterAndUser(
      config.getCurrentCluster() ?? { name: "", server: "", skipTLSVerify: false },
      user,
    );
    const transport = createTransport({ kubeConfig: config, userAgent: "nobody" });
    const nobody = createClient(transport);
    await expect(nobody.list(configMaps)).rejects.toSatisfy(isForbidden);
    // Who takes protocol buffers is refused in them.
    const shape: Shape = { 1: ["metadata", { message: OBJECT_META }] };
    const watch = { shape, initialEvents: true, timeoutSeconds: 60 } as const;
    await expect(nobody.watch(resources.pods, watch)).rejects.toMatchObject({
      message: expect.stringContaining('pods is forbidden: User "nobody" cannot watch'),
      reason: "Forbidden",
    });
    await transport.close();
  });
});
