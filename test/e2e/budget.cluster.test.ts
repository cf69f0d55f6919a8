import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADERS, ROUTES } from "../../contract/endpoints.ts";
import { METRICS, PROCESS_METRICS } from "../../contract/metrics.ts";
import { until } from "../cluster/until.ts";
import type { Load } from "../load/load.ts";
import { type Bridge, conditionOf } from "../scene/api.ts";
import { applySecret, type Backends, startBackends } from "../scene/backends.ts";
import { generations, metricsOf, podsOf, sumOf } from "../scene/pods.ts";
import { openScene, type Scene } from "../scene/scene.ts";

/** 7 pods may exist at once (3 stable, 3 canary, 1 draining): 2 connections of Postgres for each, 1 of Redis. */
const POSTGRES = { backendConnections: 20, reserved: 4 };
const REDIS = { backendConnections: 8, reserved: 1 };
const allowed = ({ backendConnections, reserved }: typeof POSTGRES) => backendConnections - reserved;
const SECRETS = { postgres: "budget-postgres", redis: "budget-redis" };
const seconds = (sinceMs: number) => ((Date.now() - sinceMs) / 1000).toFixed(1);

let scene: Scene;
let backends: Backends;
let bridge: Bridge;
let load: Load;

beforeAll(async () => {
  scene = await openScene("budget");
  backends = await startBackends(scene.cluster);
  await applySecret(scene.client, scene.namespace, SECRETS.postgres, backends.postgresUrl());
  await applySecret(scene.client, scene.namespace, SECRETS.redis, backends.redisUrl());
  bridge = scene.bridge();
  const base = await scene.spec();
  await bridge.apply({
    ...base,
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "384Mi" } },
    cache: { memory: { maxBytes: "8Mi" }, redis: { secretRef: { name: SECRETS.redis, key: "url" } } },
    pools: {
      postgres: { secretRef: { name: SECRETS.postgres, key: "url" }, ...POSTGRES },
      redis: REDIS,
    },
    scaling: { minReplicas: 2, maxReplicas: 3, demandWindow: "15s", scaleDownWindow: "5m" },
    // What is measured here are connections; the evidence has suites of its own.
    rollout: {
      steps: [
        { name: "half", weight: 50, hold: "2s" },
        { name: "all", weight: 100, hold: "2s" },
      ],
      analysis: { interval: "5s", errors: { rollbackAbove: "10%", promoteBelow: "30%" } },
      watchAfter: "0s",
      rollbackWindow: 0,
    },
    alerts: [],
  });
  await scene.bridge("small").apply({
    ...base,
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } },
    // Cache and worker threads as they are by default.
    cache: {},
    workers: {},
    scaling: { mode: "Fixed" },
    replicas: 1,
  });
  await bridge.waitFor("Ready", (status) => conditionOf(status, "Ready")?.status === "True");
});
afterAll(async () => {
  await load?.stop(0);
  await scene?.close();
  await backends?.close();
});

const living = async (one = bridge) => (await podsOf(scene.client, one)).filter((pod) => !pod.terminating);

/** No pod was ever replaced or restarted since `before`. */
async function expectSamePods(before: readonly { uid: string }[]): Promise<void> {
  const now = await living();
  expect(now.map(({ uid }) => uid).sort()).toEqual(before.map(({ uid }) => uid).sort());
  expect(now.map(({ restarts }) => restarts)).toEqual(now.map(() => 0));
}

describe("a bridge with a real Postgres and a real Redis", () => {
  it("runs Node as status says it is tuned", async () => {
    const { tuning, workers } = await bridge.status();
    const pods = await living();
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      expect(pod.env.NODE_OPTIONS).toBe(tuning?.nodeOptions);
      expect(pod.env.UV_THREADPOOL_SIZE).toBe(String(tuning?.threadpoolSize));
      await until(`${pod.name} to report the heap of each isolate`, 20_000, async () => {
        const samples = await metricsOf(pod);
        const limits = samples.filter(({ name }) => name === METRICS.heapLimit);
        const wanted = ["main", "worker-0"].map((isolate) => [isolate, tuning?.heapMiB]);
        const found = limits.map(({ labels, value }) => [labels.isolate, Math.round(value / 2 ** 20)]);
        return JSON.stringify(found.sort()) === JSON.stringify(wanted) ? undefined : JSON.stringify(found);
      });
    }
    expect(workers).toMatchObject({ current: 1, cap: 1 });
    const idle = await Promise.all(
      pods.map(async (pod) => (sumOf(await metricsOf(pod), PROCESS_METRICS.residentBytes) ?? 0) / 2 ** 20),
    );
    console.log(
      `idle RSS with Redis, Postgres and 1 worker: ${idle.map((mib) => mib.toFixed(0)).join(", ")} MiB`,
    );
  });

  it("says in words why a small pod has no worker thread", async () => {
    const status = await scene
      .bridge("small")
      .waitFor("Ready", (one) => conditionOf(one, "Ready")?.status === "True");
    expect(status.workers).toMatchObject({ current: 0, cap: 0 });
    expect(status.workers?.reason).toContain("main thread");
    expect(status.tuning?.rationale.join(" ")).toContain("256 MiB leave no heap for more isolates");
    console.log(`256Mi: ${status.workers?.reason}`);
  });

  it("writes usage records, and answers from Redis what another pod was told", async () => {
    load = await scene.load(bridge, { rps: 15, longStreams: 6, longStreamSeconds: 12 });
    await until("usage records in Postgres", 30_000, async () => {
      const [row] = await backends.query<{ count: number }>(
        `select count(*)::int as count from llmbridge_usage where bridge = '${scene.namespace}/chat' and prompt_tokens > 0`,
      );
      return (row?.count ?? 0) > 50 ? undefined : `${row?.count} records`;
    });
    const url = `${await scene.serviceUrl(bridge.name)}${ROUTES.chat}`;
    const ask = async () => {
      const response = await fetch(url, {
        method: "POST",
        // A connection of its own, so that the next one may meet another pod.
        headers: { "content-type": "application/json", connection: "close" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "asked of every pod" }] }),
      });
      await response.text();
      return response.headers.get(HEADERS.cache);
    };
    await ask();
    const redisHits = async () => {
      const pods = await Promise.all((await living()).map(metricsOf));
      return pods.map((one) => sumOf(one, METRICS.cacheLookups, { tier: "redis", result: "hit" }) ?? 0);
    };
    await until("a hit in Redis", 20_000, async () => {
      expect(await ask()).toBe("hit");
      const hits = await redisHits();
      return hits.some((count) => count > 0) ? undefined : JSON.stringify(hits);
    });
  });

  it("stays within what the servers allow through three quick revisions, drain and growth", async () => {
    // So slow that pods write on every connection they may have.
    await backends.query(
      `create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(1.5); return null; end';
       create trigger slowly before insert on llmbridge_usage execute function slowly()`,
    );
    const fromMs = Date.now();
    for (const answers of ["50m", "40m", "30m"]) {
      const before = (await bridge.status()).canary?.revision;
      await bridge.patch({ cache: { ttl: { answers } } });
      await bridge.waitFor(
        "with another canary that runs",
        ({ canary }) => canary !== undefined && canary.revision !== before && canary.ready > 0,
      );
    }
    const last = (await bridge.status()).canary?.revision;
    await bridge.waitFor(
      "promoted to the last",
      ({ phase, stable }) => phase === "Stable" && stable?.revision === last,
      240_000,
    );
    console.log(`three quick revisions, the last promoted: ${seconds(fromMs)} s`);
    await bridge.patch({ scaling: { minReplicas: 3 } });
    await bridge.waitFor("grown to 3", ({ stable }) => stable?.ready === 3);
    const most = (of: "postgres" | "redis") => Math.max(...backends.counts.map((count) => count[of]));
    console.log(
      `connections at the servers, ${backends.counts.length} counts: Postgres at most ${most("postgres")} of ${allowed(POSTGRES)}, Redis at most ${most("redis")} of ${allowed(REDIS)}`,
    );
    // Three pods at rest hold 6.
    expect(most("postgres")).toBeGreaterThan(6);
    expect(most("postgres")).toBeLessThanOrEqual(allowed(POSTGRES));
    expect(most("redis")).toBeLessThanOrEqual(allowed(REDIS));
  });

  it("takes a lowered budget and new credentials into running pods", async () => {
    const pods = await living();
    const { stable } = await bridge.status();
    const before = Math.max(...(await generations(scene.client, bridge)).map((one) => one ?? 0));
    await backends.addUser("rotated");
    const rotatedMs = Date.now();
    await applySecret(scene.client, scene.namespace, SECRETS.postgres, backends.postgresUrl("rotated"));
    await applySecret(scene.client, scene.namespace, SECRETS.redis, backends.redisUrl("rotated"));
    const loweredMs = Date.now();
    const lowered = { backendConnections: 11, reserved: 4 };
    await bridge.patch({ pools: { postgres: lowered } });
    await until("every pod to confirm the new generation", 30_000, async () => {
      const running = await generations(scene.client, bridge);
      return running.every((one) => (one ?? 0) > before) ? undefined : JSON.stringify(running);
    });
    console.log(`budget lowered to every pod's confirmation: ${seconds(loweredMs)} s`);
    const confirmedMs = Date.now();
    const limits = await Promise.all(
      (await living()).map(async (pod) =>
        sumOf(await metricsOf(pod), METRICS.poolLimit, { pool: "postgres" }),
      ),
    );
    expect(limits).toEqual([1, 1, 1]);
    await until("every connection to be of the new user", 150_000, async () => {
      const users = { ...(await backends.postgresUsers()), ...(await backends.redisUsers()) };
      return Object.keys(users).join() === "rotated" ? undefined : JSON.stringify(users);
    });
    console.log(`Secrets rotated to the last connection of the old user gone: ${seconds(rotatedMs)} s`);
    const { secrets } = await bridge.waitFor(
      "told by every pod that it has read both Secrets again",
      (status) => status.secrets.length === 2 && status.secrets.every(({ state }) => state === "Reread"),
    );
    expect(secrets.map(({ name, pods: mounting, read }) => [name, mounting, read])).toEqual(
      [SECRETS.postgres, SECRETS.redis].toSorted().map((name) => [name, 3, 3]),
    );
    console.log(`Secrets rotated to the operator's word of it: ${seconds(rotatedMs)} s`);
    const after = backends.counts.filter(({ atMs }) => atMs > confirmedMs);
    expect(Math.max(...after.map(({ postgres }) => postgres))).toBeLessThanOrEqual(allowed(lowered));
    await expectSamePods(pods);
    expect((await bridge.status()).stable?.revision).toBe(stable?.revision);
  });

  it("refuses a plan above a budget, and leaves what runs alone", async () => {
    const pods = await living();
    const refused = async (patch: object, sentence: string) => {
      await bridge.patch({ ...patch });
      const status = await bridge.waitFor(
        "refused",
        (one) => conditionOf(one, "Accepted")?.status === "False",
      );
      expect(conditionOf(status, "Accepted")).toMatchObject({ reason: "BudgetExceeded", message: sentence });
      expect(conditionOf(status, "Ready")?.status).toBe("True");
    };
    await backends.query("drop trigger slowly on llmbridge_usage");
    await refused(
      { budget: { cpu: "2" } },
      "spec.budget.cpu: the plan needs 3 pods of 1 cpu each but spec.budget.cpu is 2, enough for 2; lower spec.scaling.maxReplicas, lower spec.resources.limits.cpu, or raise the budget.",
    );
    await bridge.patch({ budget: null });
    await bridge.waitFor("accepted", (one) => conditionOf(one, "Accepted")?.status === "True");
    // Another image beside it: nothing of a refused spec is carried out.
    await refused(
      { image: await scene.image("next"), pools: { postgres: { backendConnections: 10 } } },
      "spec.pools.postgres.backendConnections: the plan needs at least 7 connections (3 stable, 3 canary and 1 draining pods, one each) but spec.pools.postgres allows 6 (10 less 4 reserved); lower spec.scaling.maxReplicas to 2, or raise backendConnections to 11.",
    );
    await expectSamePods(pods);
    const report = await load.stop();
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      failed: 0,
      cut: 0,
      samples: [],
    });
    expect((await podsOf(scene.client, bridge)).map(({ name }) => name).sort()).toEqual(
      pods.map(({ name }) => name).sort(),
    );
    const [usage] = await backends.query<{ count: number; revisions: number }>(
      "select count(*)::int as count, count(distinct revision)::int as revisions from llmbridge_usage",
    );
    console.log(
      `usage records: ${usage?.count} of ${report.finished} requests, from ${usage?.revisions} revisions`,
    );
    expect(usage?.count).toBeGreaterThan(report.finished * 0.9);
  });
});
