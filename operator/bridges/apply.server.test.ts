import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { type BridgeApi, bridgeApi } from "../../test/conformance/bridge-api.ts";
import { smallestBridge } from "../../test/conformance/bridge-objects.ts";
import { announced } from "../../test/kube/announced.ts";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { createClient, type KubeClient } from "../kube/client.ts";
import { systemClock } from "../kube/clock.ts";
import type { KubeObject } from "../kube/object.ts";
import { resources } from "../kube/resources.ts";
import { apply } from "./apply.ts";
import { LLMBRIDGES } from "./caches.ts";
import { createContests } from "./contest.ts";
import { NameConflict, NotCleanedUp } from "./create-child.ts";
import { type BridgeRef, childLabels, ownerReference } from "./names.ts";
import { parseStatus, refOf } from "./observe.ts";
import type { ChildObject, Write } from "./plan.ts";
import { report } from "./report.ts";

let server: ApiServer;
let api: BridgeApi;
let client: KubeClient;
let bridge: BridgeRef;
beforeAll(async () => {
  server = await startApiServer();
  api = bridgeApi(server.kubeconfig);
  await api.installCrd();
  client = createClient(server.transport());
  expect(await api.create(smallestBridge("chat"), { keep: true })).toEqual([]);
  bridge = refOf(await stored());
});
afterAll(async () => {
  await api?.close();
  await server?.down();
});

const namespace = "default";
const stored = () => client.get<KubeObject & { status?: object }>(LLMBRIDGES, namespace, "chat");
const map = () => client.get<KubeObject & { data: object }>(resources.configMaps, namespace, "chat-x");

function configMap(data: Record<string, string>, owner = bridge): ChildObject & { immutable?: boolean } {
  const labels = childLabels("chat", "test");
  const metadata = { name: "chat-x", namespace, labels, ownerReferences: [ownerReference(owner)] };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data } as ChildObject;
}

const create = (object: ChildObject): Write => ({ kind: "Create", resource: "configmaps", object });

const run = (...writes: Write[]): Promise<void> => runOn([], ...writes);

/** @param found takes what the cache will show */
function runOn(found: KubeObject[], ...writes: Write[]): Promise<void> {
  const contests = createContests({ clock: systemClock });
  return apply(client, bridge, writes, contests, (_, object) => {
    found.push(object);
    return false;
  });
}

beforeEach(async () => {
  await client.delete(resources.configMaps, namespace, "chat-x").catch(() => undefined);
});

describe("apply", () => {
  it("makes what is not there by one request, and asks who has a name only where somebody has", async () => {
    const asked: string[] = [];
    const counted = createClient(
      announced(server.transport(), ({ verb, subject }) => void asked.push(`${verb} ${subject}`)),
    );
    const make = () =>
      apply(
        counted,
        bridge,
        [create(configMap({ a: "1" }))],
        createContests({ clock: systemClock }),
        () => false,
      );
    await make();
    expect(asked).toEqual(["apply default/chat-x"]);
    await expect(make()).rejects.toMatchObject({ reason: "Conflict" });
    expect(asked.slice(1)).toEqual(["apply default/chat-x", "get default/chat-x"]);
  });

  it("does not undo what was written after the plan was made", async () => {
    await run(create(configMap({ a: "1" })));
    const { uid, resourceVersion } = (await map()).metadata;
    const update = { kind: "Update", resource: "configmaps", uid, resourceVersion } as const;
    await run({ ...update, object: configMap({ a: "2" }) });
    await expect(run({ ...update, object: configMap({ a: "1" }) })).rejects.toMatchObject({
      reason: "Conflict",
    });
    expect((await map()).data).toEqual({ a: "2" });
    await expect(
      run({ kind: "Delete", resource: "configmaps", name: "chat-x", uid, resourceVersion }),
    ).rejects.toMatchObject({ reason: "Conflict" });
    expect((await map()).data).toEqual({ a: "2" });
  });

  it.each([
    ["may be changed", {}],
    ["a revision was rendered to", { immutable: true }],
  ])(
    "leaves what %s as it is where the plan knew nothing of it, and says that the cache was behind",
    async (_, more) => {
      const made = (a: string) => create({ ...configMap({ a }), ...more } as ChildObject);
      const found: KubeObject[] = [];
      await run(made("old"));
      const { resourceVersion } = (await map()).metadata;
      await expect(runOn(found, made("new"))).rejects.toMatchObject({ reason: "Conflict" });
      expect([(await map()).data, (await map()).metadata.resourceVersion]).toEqual([
        { a: "old" },
        resourceVersion,
      ]);
      expect(found.map(({ metadata }) => metadata.resourceVersion)).toEqual([resourceVersion]);
    },
  );

  it.each([
    ["the cache finds a child", LABELS.bridge, "chat"],
    ["a child is known for a revision's", LABELS.revision, "abc"],
  ])("gives back the label by which %s, and nothing else that the plan says", async (_, label, value) => {
    const ofRevision = (a: string): Write => {
      const { metadata, ...rest } = configMap({ a });
      const labels = { ...metadata.labels, [LABELS.revision]: "abc" };
      return create({ ...rest, metadata: { ...metadata, labels } });
    };
    await run(ofRevision("old"));
    const labels = { [label]: null, mine: "kept" };
    await client.mergePatch(resources.configMaps, namespace, "chat-x", { metadata: { labels } });
    const found: KubeObject[] = [];
    await expect(runOn(found, ofRevision("new"))).rejects.toMatchObject({ reason: "Conflict" });
    const after = await map();
    expect(after.data).toEqual({ a: "old" });
    expect(after.metadata.labels).toMatchObject({ [label]: value, mine: "kept" });
    expect(found.map(({ metadata }) => metadata.resourceVersion)).toEqual([after.metadata.resourceVersion]);
  });

  it("waits for the children of a deleted bridge of the same name, and touches none", async () => {
    await run(create(configMap({ a: "old" }, { ...bridge, uid: "11111111-1111-1111-1111-111111111111" })));
    await expect(run(create(configMap({ a: "new" })))).rejects.toThrow(NotCleanedUp);
    expect((await map()).data).toEqual({ a: "old" });
  });

  it("still moves traffic when another write is refused for good, and nothing else", async () => {
    const metadata = { name: "chat-svc", namespace, ownerReferences: [ownerReference(bridge)] };
    const service = (version: string) =>
      ({
        ...{ apiVersion: "v1", kind: "Service", metadata },
        spec: { selector: { version }, ports: [{ port: 80, protocol: "TCP" }] },
      }) as ChildObject;
    await run({ kind: "Create", resource: "services", object: service("canary") });
    const read = () =>
      client.get<KubeObject & { spec: { selector: object } }>(resources.services, namespace, "chat-svc");
    const { uid, resourceVersion } = (await read()).metadata;
    const bad = { ...configMap({}), data: { "not a key": "1" } } as ChildObject;
    const after = { ...configMap({ a: "1" }), metadata: { ...configMap({}).metadata, name: "chat-y" } };
    await expect(
      run(create(bad), create(after), {
        kind: "Update",
        resource: "services",
        object: service("stable"),
        uid,
        resourceVersion,
      }),
    ).rejects.toThrow(/not a key/);
    expect((await read()).spec.selector).toEqual({ version: "stable" });
    await expect(client.get(resources.configMaps, namespace, "chat-y")).rejects.toMatchObject({ code: 404 });
  });

  it("refuses to take what belongs to another bridge, saying whose it is", async () => {
    const other = { ...bridge, name: "other", uid: "22222222-2222-2222-2222-222222222222" };
    await run(create(configMap({ a: "theirs" }, other)));
    const taken = run(create(configMap({ a: "ours" })));
    await expect(taken).rejects.toThrow(NameConflict);
    await expect(taken).rejects.toThrow('ConfigMap "chat-x" already exists and belongs to LLMBridge "other"');
    expect((await map()).data).toEqual({ a: "theirs" });
  });
});

describe("report", () => {
  const time = "2026-01-01T00:00:00Z";
  const rollout = { phase: "Stable", phaseSince: time, stableRevision: "abc" } as const;
  const whole = (summary: string) =>
    ({ status: llmBridgeStatus.parse({ phase: "Stable", summary, rollout }), statusScope: "Whole" }) as const;

  it("does not overwrite a status that is newer than the plan", async () => {
    const { resourceVersion } = (await stored()).metadata;
    await report(client, { ...bridge, resourceVersion }, whole("first"));
    await expect(report(client, { ...bridge, resourceVersion }, whole("stale"))).rejects.toMatchObject({
      reason: "Conflict",
    });
    expect((await stored()).status).toMatchObject({ summary: "first" });
  });

  it("gives up nothing of a status that cannot be read when it says so", async () => {
    const { resourceVersion } = (await stored()).metadata;
    await report(client, { ...bridge, resourceVersion }, whole("kept"));
    const condition = {
      type: "Stalled",
      status: "True",
      reason: "UnreadableStatus",
      message: "A newer version wrote it.",
      lastTransitionTime: time,
    } as const;
    const status = llmBridgeStatus.parse({ conditions: [condition] });
    const now = (await stored()).metadata;
    await report(
      client,
      { ...bridge, resourceVersion: now.resourceVersion },
      { status, statusScope: "Conditions" },
    );
    const after = await stored();
    expect(after.status).toMatchObject({ summary: "kept", rollout, conditions: [condition] });
    // What can be read again is written whole again, over what was said meanwhile.
    await report(client, { ...bridge, resourceVersion: after.metadata.resourceVersion }, whole("readable"));
    expect(parseStatus(await stored()).status).toMatchObject({ summary: "readable", rollout });
  });
});
