import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../contract/endpoints.ts";
import { METRICS } from "../../contract/metrics.ts";
import { until } from "../cluster/until.ts";
import { type Bridge, conditionOf } from "../scene/api.ts";
import { type Kubectl, kubectlIn, outputOfFailure } from "../scene/kubectl.ts";
import { type BridgePod, metricsOf, podsOf, sumOf } from "../scene/pods.ts";
import { type Sampler, sample } from "../scene/sampler.ts";
import { openScene, type Scene } from "../scene/scene.ts";

const VICTIM_COST = -1000;
const seconds = (sinceMs: number) => ((Date.now() - sinceMs) / 1000).toFixed(1);

let scene: Scene;
let kubectl: Kubectl;
let elastic: Bridge;
let threads: Bridge;
let alerting: Bridge;
let modes: Bridge;

beforeAll(async () => {
  scene = await openScene("scaling");
  kubectl = kubectlIn(scene.cluster, scene.namespace);
  const base = await scene.spec();
  [elastic, threads, alerting, modes] = ["elastic", "threads", "alerting", "modes"].map((name) =>
    scene.bridge(name),
  ) as [Bridge, Bridge, Bridge, Bridge];
  await elastic.apply({
    ...base,
    // A few requests in progress ask for another pod, so that the demand of a test costs no CPU, and the pods there are
    // have room for them all the same, however unevenly connections fall.
    upstreams: base.upstreams.map((one) => ({ ...one, maxConcurrencyPerPod: 16 })),
    scaling: {
      ...{ minReplicas: 2, maxReplicas: 4, targetUtilization: "30%", demandWindow: "15s" },
      // Long enough for each size to be seen, however slowly the status is read.
      ...{ scaleDownWindow: "20s", scaleDownInterval: "5s" },
    },
    alerts: [],
  });
  await threads.apply({
    ...base,
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "2", memory: "512Mi" } },
    workers: { min: 1, max: 2 },
    replicas: 1,
    scaling: { mode: "Fixed", demandWindow: "15s", scaleDownWindow: "20s" },
    alerts: [
      {
        name: "busy",
        metric: "WorkerUtilization",
        above: "3%",
        for: "2s",
        action: "ScaleUp",
        cooldown: "10s",
      },
      { name: "memory", metric: "MemoryShare", above: "1%", for: "2s", action: "Notify" },
    ],
  });
  await alerting.apply({
    ...base,
    scaling: { mode: "Fixed" },
    replicas: 2,
    alerts: [
      {
        name: "memory-canary",
        metric: "MemoryShare",
        above: "1%",
        // A pod is measured before it is ready, and what fires before it serves is no reason to withdraw it.
        for: "8s",
        action: "Rollback",
        severity: "Critical",
      },
    ],
  });
  await modes.apply({ ...base, scaling: { mode: "Fixed" }, replicas: 1, alerts: [] });
  for (const bridge of [elastic, threads, alerting, modes])
    await bridge.waitFor("Ready", (status) => conditionOf(status, "Ready")?.status === "True");
});
afterAll(async () => scene?.close());

/** What a sampler saw of the pods of a bridge, oldest first. */
interface Sight {
  readonly atMs: number;
  readonly pods: readonly (BridgePod & { readonly openStreams: number | undefined })[];
}

function watchPods(bridge: Bridge): { readonly seen: Sight[]; readonly sampler: Sampler } {
  const seen: Sight[] = [];
  const sampler = sample(250, async () => {
    const pods = await podsOf(scene.client, bridge);
    const withStreams = pods.map(async (pod) => ({
      ...pod,
      openStreams: sumOf(await metricsOf(pod), METRICS.openStreams),
    }));
    seen.push({ atMs: Date.now(), pods: await Promise.all(withStreams) });
  });
  return { seen, sampler };
}

/** Pods that were first seen marked for deletion, with the fewest streams that any other pod had in the seconds before. */
function victimsOf(seen: readonly Sight[]) {
  const marked = new Map<string, Sight>();
  for (const sight of seen)
    for (const pod of sight.pods)
      if (pod.deletionCost === VICTIM_COST && !marked.has(pod.name)) marked.set(pod.name, sight);
  return [...marked].map(([name, { atMs }]) => {
    // The operator decides on what was scraped a little earlier; streams end and begin meanwhile.
    const recent = seen.filter((sight) => sight.atMs <= atMs && sight.atMs > atMs - 4_000);
    const gap = recent.map(({ pods }) => {
      const own = pods.find((pod) => pod.name === name)?.openStreams ?? 0;
      const others = pods.filter(
        (pod) => pod.name !== name && pod.ready && !pod.terminating && !marked.has(pod.name),
      );
      return own - Math.min(...others.map((pod) => pod.openStreams ?? Number.POSITIVE_INFINITY));
    });
    return { name, excessStreams: Math.min(...gap) };
  });
}

/** Each of these has a bridge of its own and mostly waits for windows to pass, so they run side by side. */
describe.concurrent("replicas", () => {
  it("grow with demand within their bounds, and shrink one by one after the window with no stream cut", async () => {
    const load = await scene.load(elastic, { rps: 1, longStreams: 5, longStreamSeconds: 40, freshShare: 1 });
    const { seen, sampler } = watchPods(elastic);
    await scene.model.set({ delayMs: 2_500 });
    load.setRate(4);
    const raisedMs = Date.now();
    const grown = await elastic.waitFor(
      "grown to 4 ready pods",
      ({ stable }) => stable?.ready === 4,
      120_000,
    );
    console.log(`demand raised to 4 ready pods: ${seconds(raisedMs)} s; ${grown.scaling?.message}`);

    // From here on less is asked, however long it takes to say so.
    const loweredMs = Date.now();
    load.setRate(1);
    await scene.model.set({ delayMs: 20 });
    const sizes: { readonly replicas: number; readonly atMs: number }[] = [];
    await elastic.waitFor(
      "shrunk to 2 pods",
      ({ stable }) => {
        const replicas = stable?.replicas ?? 0;
        if (sizes.at(-1)?.replicas !== replicas) sizes.push({ replicas, atMs: Date.now() });
        return replicas === 2 && stable?.ready === 2;
      },
      240_000,
    );
    console.log(`demand lowered to 2 pods: ${seconds(loweredMs)} s`);
    expect(sizes.map(({ replicas }) => replicas)).toEqual([4, 3, 2]);
    expect((sizes[1]?.atMs ?? 0) - loweredMs).toBeGreaterThan(20_000);

    const { scaling } = await elastic.status();
    expect(scaling?.recommended).toBe(2);
    const report = await load.stop();
    await sampler.stop();
    console.log(
      `replicas: ${report.finished} requests, ${report.kinds.longStream?.finished} long streams, ${report.failed} failed, ${report.cut} cut`,
    );
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      failed: 0,
      cut: 0,
      samples: [],
    });
    expect(report.kinds.longStream?.finished).toBeGreaterThan(5);

    expect(Math.max(...seen.map(({ pods }) => pods.filter((pod) => !pod.terminating).length))).toBe(4);
    const victims = victimsOf(seen);
    console.log(`victims and how many streams more than the least they had: ${JSON.stringify(victims)}`);
    expect(victims).toHaveLength(2);
    for (const { excessStreams } of victims) expect(excessStreams).toBeLessThanOrEqual(0);
    const names = new Set(victims.map(({ name }) => name));
    const ended = new Set(
      seen.flatMap(({ pods }) => pods.filter((pod) => pod.terminating).map((pod) => pod.name)),
    );
    expect(ended).toEqual(names);
  });
});

describe.concurrent("worker threads", () => {
  it("grow by an alert and shrink when they are idle, in running pods", async () => {
    const pods = await podsOf(scene.client, threads);
    const { stable } = await threads.status();
    const url = `${await scene.serviceUrl(threads.name)}${ROUTES.embeddings}`;
    let asked = 0;
    // Answers large enough for a worker thread to compress, a few at a time.
    const jobs = [1, 2].map(() =>
      sample(10, async () => {
        const body = JSON.stringify({ model: "m?dimensions=40000&delayMs=0", input: `input ${asked++}` });
        const headers = { "content-type": "application/json", "accept-encoding": "br" };
        const response = await request(url, { method: "POST", headers, body });
        expect(response.statusCode).toBe(200);
        await response.body.dump({ limit: Number.MAX_SAFE_INTEGER });
      }),
    );
    const running = async () =>
      Promise.all(
        (await podsOf(scene.client, threads)).map(async (pod) =>
          sumOf(await metricsOf(pod), METRICS.workers),
        ),
      );
    const startedMs = Date.now();
    const grown = await threads.waitFor(
      "at 2 worker threads",
      ({ workers }) => workers?.current === 2,
      60_000,
    );
    const decidedMs = Date.now();
    await until("the pod to run 2 worker threads", 20_000, async () => {
      const now = await running();
      return now.every((count) => count === 2) ? undefined : JSON.stringify(now);
    });
    console.log(
      `jobs to a second worker thread decided: ${((decidedMs - startedMs) / 1000).toFixed(1)} s, running ${seconds(decidedMs)} s later; ${grown.workers?.reason}`,
    );
    expect(grown.decisions.find(({ action }) => action === "ScaleUp")?.message).toMatch(
      /^Worker threads 1 → 2: Alert busy: WorkerUtilization is [\d.]+%, above 3%/,
    );
    expect(grown.workers).toMatchObject({ cap: 2 });
    await Promise.all(jobs.map((job) => job.stop()));
    const idleMs = Date.now();
    await threads.waitFor("back at 1 worker thread", ({ workers }) => workers?.current === 1, 120_000);
    await until("the pod to run 1 worker thread", 20_000, async () => {
      const now = await running();
      return now.every((count) => count === 1) ? undefined : JSON.stringify(now);
    });
    console.log(`jobs ended to 1 worker thread: ${seconds(idleMs)} s`);
    const after = await podsOf(scene.client, threads);
    expect(after.map(({ uid, restarts }) => ({ uid, restarts }))).toEqual(
      pods.map(({ uid }) => ({ uid, restarts: 0 })),
    );
    expect((await threads.status()).stable?.revision).toBe(stable?.revision);
  });
});

describe.concurrent("modes", () => {
  it("follow spec.replicas in Fixed, the scale subresource in External, and refuse it in Managed", async () => {
    const revision = (await modes.status()).stable?.revision;
    await modes.patch({ replicas: 2 });
    await modes.waitFor("at 2 pods", ({ stable }) => stable?.ready === 2 && stable.replicas === 2);
    await modes.patch({ scaling: { mode: "External" } });
    for (const replicas of [3, 1]) {
      await kubectl("scale", "llmb/modes", `--replicas=${replicas}`);
      await modes.waitFor(
        `at ${replicas} pods`,
        ({ stable, replicas: reported }) =>
          stable?.ready === replicas && stable.replicas === replicas && reported === replicas,
      );
    }
    const scale = JSON.parse(await kubectl("get", "llmb/modes", "--subresource=scale", "-o", "json"));
    await until("an autoscaler to find the one pod by the scale's selector", 60_000, async () => {
      const pods = await kubectl("get", "pods", "-l", scale.status.selector, "-o", "name");
      return /^pod\/modes-\S+$/.test(pods.trim()) ? undefined : pods;
    });
    expect((await modes.status()).stable?.revision).toBe(revision);
    expect(await outputOfFailure(kubectl("scale", "llmb/elastic", "--replicas=3"))).toContain(
      "replicas is not read in mode Managed, where the operator scales between minReplicas and maxReplicas; change those, or set scaling.mode to Fixed or External.",
    );
  });
});

describe.concurrent("alerts", () => {
  it("notify with a reason and a recommendation", async () => {
    const status = await threads.waitFor("told", ({ alerts }) =>
      alerts.some(({ name, state }) => name === "memory" && state === "Firing"),
    );
    const alert = status.alerts.find(({ name }) => name === "memory");
    expect(alert?.message).toMatch(/^MemoryShare is [\d.]+% in pod threads-\S+, above 1% for 2s\.$/);
    expect(alert?.recommendation).toBe(
      "Raise spec.resources.limits.memory, or lower spec.cache.memory.maxBytes or spec.workers.max.",
    );
    await until("an Event of it", 10_000, async () => {
      const notes = await kubectl(
        "get",
        "events",
        "--field-selector",
        "reason=AlertFiring",
        "-o",
        "jsonpath={.items[*].message}",
      );
      return notes.includes("Alert memory: MemoryShare is") ? undefined : notes;
    });
  });

  it("roll a canary back, or hold it where it is for as long as they fire", async () => {
    const load = await scene.load(alerting, { rps: 20 });
    const stable = (await alerting.status()).stable;
    await alerting.patch({ cache: { ttl: { answers: "50m" } } });
    const back = await alerting.rolledBack();
    expect(back.rollout?.failed?.message).toContain("memory-canary");
    expect(back.rollout?.failed?.message).toMatch(/MemoryShare is [\d.]+% in pod alerting-\S+, above 1%/);
    expect(back.stable?.revision).toBe(stable?.revision);
    console.log(`rolled back by an alert: ${back.rollout?.failed?.reason}: ${back.rollout?.failed?.message}`);

    const alerts = [{ name: "memory-all", metric: "MemoryShare", above: "1%", for: "2s", action: "Hold" }];
    await alerting.patch({ alerts, cache: { ttl: { answers: "40m" } } });
    const held = await alerting.waitFor(
      "held by the alert",
      ({ rollout, summary }) => rollout?.heldFor === "Alert" || (summary ?? "").includes("memory-all"),
    );
    console.log(`held by an alert: ${held.rollout?.heldFor}: ${held.summary}`);
    await alerting.waitFor("held for longer than the first step would take", ({ rollout, step }) => {
      expect(rollout?.phase).not.toBe("Promoting");
      expect(step?.index ?? 0).toBe(0);
      const since = Date.parse(rollout?.holdingSince ?? rollout?.phaseSince ?? "");
      return Date.now() - since > 20_000;
    });
    await alerting.patch({ alerts: [] });
    await alerting.waitFor(
      "promoted",
      ({ phase, stable: now }) => phase === "Stable" && now?.revision !== stable?.revision,
      180_000,
    );
    const report = await load.stop();
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      failed: 0,
      cut: 0,
      samples: [],
    });
  });
});
