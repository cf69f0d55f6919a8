import { beforeEach, describe, expect, it } from "vitest";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import type { KubeClient, ListOptions } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { Informer } from "../kube/informer.ts";
import type { KubeObject } from "../kube/object.ts";
import { type Resource, resourceName, resources } from "../kube/resources.ts";
import { behindOf, catchUp, isActing, versionsNow } from "./catch-up.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";
import { ReadRefused } from "./unread.ts";

const bridge = { namespace: "ai", name: "chat", uid: "u" };
const { signal } = new AbortController();
const object = (name: string, resourceVersion = "1"): KubeObject => ({
  metadata: { name, namespace: "ai", uid: `uid-${name}`, resourceVersion },
});

describe("what is worth asking for children by quorum", () => {
  const status = (more: object) =>
    llmBridgeStatus.parse({
      phase: "Stable",
      rollout: { phase: "Stable", phaseSince: "2026-01-01T00:00:00Z", stableRevision: "abc" },
      ...more,
    });
  const plan = (wanted: object, writes: readonly unknown[] = []) =>
    ({ writes, status: wanted }) as unknown as Plan;
  const at = (before: object): Snapshot => ({ status: before, nowMs: 1_000_000 }) as Snapshot;

  it("is a write, and a status that says something else, but no number alone", () => {
    const before = status({});
    expect(isActing(at(before), plan(before))).toBe(false);
    expect(isActing(at(before), plan(status({ summary: "2 of 3 pods" })))).toBe(false);
    expect(isActing(at(before), plan(status({ phase: "Preparing" })))).toBe(true);
    expect(isActing(at(before), plan(before, [{ kind: "Evict" }]))).toBe(true);
    // What an older operator never wrote.
    expect(isActing(at(before), plan(status({ revision: "abc" })))).toBe(false);
    expect(isActing(at(status({ revision: "abc" })), plan(status({ revision: "def" })))).toBe(true);
  });

  it("is nothing of a bridge that has not begun", () => {
    const before = llmBridgeStatus.parse({});
    expect(isActing(at(before), plan(status({}), [{ kind: "Create" }]))).toBe(false);
  });
});

describe("catching up", () => {
  /** By plural name: what the caches hold, and what there is. */
  let held: Record<string, KubeObject[]>;
  let there: Record<string, KubeObject[] | ApiError>;
  let waitsFor: string[];
  let asked: string[];
  /** What is there without the bridge's name on it. */
  let taken: KubeObject[];
  /** By plural name: the version that the cache has reached. */
  let reached: Record<string, number>;

  const informer = (resource: Resource) =>
    ({
      resource,
      hasReached: (_, version) => (reached[resource.plural] ?? 0) >= Number(version),
      store: { byIndex: () => held[resource.plural] ?? [] } as Partial<Informer<KubeObject>["store"]>,
    }) as Partial<Informer<KubeObject>> as Informer<KubeObject>;
  const caches = {
    children: { services: informer(resources.services), deployments: informer(resources.deployments) },
    pods: informer(resources.pods),
  } as never;
  const client = {
    async list(resource: Resource, { namespace, labelSelector, fieldSelector, metadataOnly }: ListOptions) {
      if (fieldSelector !== undefined)
        return [...((there[resource.plural] ?? []) as KubeObject[]), ...taken].filter(
          ({ metadata }) => fieldSelector === `metadata.name=${metadata.name}`,
        );
      asked.push(`${resource.plural} ${namespace} ${labelSelector} ${metadataOnly}`);
      const found = there[resource.plural] ?? [];
      if (found instanceof ApiError) throw found;
      return found;
    },
  } as Partial<KubeClient> as KubeClient;
  const ownWrites = {
    wrote: (_: unknown, resource: Resource, { metadata }: KubeObject, options: unknown) =>
      void waitsFor.push(
        `${resourceName(resource)} ${metadata.name} ${metadata.resourceVersion} ${JSON.stringify(options)}`,
      ),
    deleted: (_: unknown, resource: Resource, __: string, name: string, uid: string, options: unknown) =>
      void waitsFor.push(`${resourceName(resource)} no ${name} ${uid} ${JSON.stringify(options)}`),
  };
  const snapshot = (route: unknown = { kind: "Unknown" }) => ({ bridge, route }) as Snapshot;
  const run = (of = snapshot(), since: Record<string, string> = {}) =>
    catchUp({ client, ownWrites }, of, behindOf(caches, "ai", new Map(Object.entries(since))), signal);

  beforeEach(() => {
    [held, there, waitsFor, asked, reached, taken] = [{}, {}, [], [], {}, []];
  });

  it("asks once a kind for what carries the bridge's name", async () => {
    await run();
    const labels = "app.kubernetes.io/managed-by=llmbridge-operator,llmbridge.dev/bridge=chat";
    expect(asked.sort()).toEqual([
      `deployments ai ${labels} true`,
      `pods ai ${labels} true`,
      `services ai ${labels} true`,
    ]);
    expect(waitsFor).toEqual([]);
  });

  it("asks for nothing that its cache has come past since the term began", async () => {
    const since = { pods: "7", services: "7", "deployments.apps": "8" };
    reached = { pods: 7, services: 6 };
    there.pods = [object("old", "7")];
    expect(await run(snapshot(), since)).toBe(true);
    expect(asked.map((one) => one.split(" ")[0]).sort()).toEqual(["deployments", "services"]);
    expect(waitsFor).toEqual([]);
    reached = { pods: 7, services: 7, deployments: 8 };
    expect(await run(snapshot(), since)).toBe(false);
    expect(asked).toHaveLength(2);
  });

  it("does not wait for the end of what is another's by now", async () => {
    held.pods = [object("moved")];
    taken = [object("moved", "4")];
    await run();
    expect(waitsFor).toEqual(['pods moved 4 {"strict":true}']);
  });

  it("waits, however long it takes, for what is there and for what is there no more", async () => {
    there.services = [object("chat", "5")];
    held.pods = [object("old"), object("both")];
    there.pods = [object("both", "6")];
    await run();
    const strict = '{"strict":true}';
    expect(waitsFor.sort()).toEqual([
      `pods both 6 ${strict}`,
      `pods no old uid-old ${strict}`,
      `services chat 5 ${strict}`,
    ]);
  });

  it("asks for the routes that concern the bridge by their names", async () => {
    there.httproutes = [object("chat", "9")];
    await run(snapshot({ kind: "Served", owned: object("chat"), route: object("theirs") }));
    const routes = "httproutes.gateway.networking.k8s.io";
    expect(waitsFor.sort()).toEqual([
      `${routes} chat 9 {"strict":true}`,
      `${routes} no theirs uid-theirs {"strict":true}`,
    ]);
  });

  it("says what may not be listed", async () => {
    there.pods = new ApiError("list pods ai", 403, { message: "pods is forbidden" });
    await expect(run()).rejects.toThrow(ReadRefused);
    there.pods = new ApiError("list pods ai", 503, {});
    await expect(run()).rejects.toMatchObject({ code: 503 });
  });
});

describe("what the API server has reached", () => {
  const informer = (resource: Resource, ...all: KubeObject[]) =>
    ({ resource, store: { list: () => all } }) as unknown as Informer<KubeObject>;
  const ask = (listPage: (resource: Resource, options: unknown) => Promise<unknown>, ...all: KubeObject[]) =>
    versionsNow(
      { listPage } as unknown as KubeClient,
      {
        bridges: informer(resources.namespaces, ...all),
        children: { services: informer(resources.services) },
        pods: informer(resources.pods),
      } as never,
      signal,
    );

  it("is the version of the shortest list of each kind, but of those that nobody answers", async () => {
    const options: unknown[] = [];
    const versions = await ask(async ({ plural }, one) => {
      options.push(one);
      if (plural === "services") throw new Error("away");
      return { resourceVersion: "12" };
    }, object("chat"));
    expect([...versions]).toEqual([["pods", "12"]]);
    expect(options).toEqual(Array(2).fill({ namespace: "ai", limit: 1, metadataOnly: true, signal }));
  });

  it("is not asked where there is no bridge", async () => {
    expect((await ask(() => Promise.reject(new Error("asked")))).size).toBe(0);
  });
});
