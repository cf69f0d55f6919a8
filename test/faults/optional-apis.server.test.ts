import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { BRIDGE_PERMISSIONS, POD_MONITOR_PERMISSIONS, ruleOf } from "../../operator/permissions.ts";
import { POD_MONITORS, removePodMonitors, servePodMonitors } from "../kube/pod-monitors.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { startAudit } from "../scene/audit.ts";
import type { ServerProcess } from "../servers/process.ts";
import { account } from "./account.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { isWrite } from "./request.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { answer, hung } from "./strike.ts";

/** APIs that need not be there: the PodMonitors of the Prometheus Operator come, go, and may not be used. */

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];
const SOURCES = { sources: [{ name: "default", url: "http://127.0.0.1:9" }] };
const WANTED = { ...SOURCES, podMonitors: { labels: { release: "prometheus" }, interval: "30s" } };

interface PodMonitor extends KubeObject {
  readonly spec: { readonly podMetricsEndpoints: readonly { readonly interval: string }[] };
}

let bed: Bed;
let settings: TestSettings;
beforeAll(async () => {
  // Definitions come and go.
  bed = await openBed({ isOwn: true });
});
afterEach(async () => {
  settings.remove();
  await removePodMonitors(bed.plane.client);
});
afterAll(async () => bed?.down());

/** A stage with an operator of these settings. */
async function staged(content: object, options: Parameters<Stage["start"]>[0] = {}) {
  settings = settingsFile(content);
  const stage = await bed.stage({ isEmpty: true });
  const operator = await stage.start({ settingsPath: settings.path, ...options });
  return { stage, operator };
}

/** Asked of the API server about optional APIs. */
const asked = ({ proxy }: Stage, matches: (request: ProxiedRequest) => boolean = () => true) =>
  proxy.requests.filter(
    (request) => ["podmonitors", "customresourcedefinitions"].includes(request.resource) && matches(request),
  );

const monitorOf = async (stage: Stage): Promise<PodMonitor | undefined> =>
  (await stage.list<PodMonitor>(POD_MONITORS).catch(() => []))[0];
const aMonitor = (stage: Stage, like: (monitor: PodMonitor) => boolean = () => true): Promise<PodMonitor> =>
  until(
    "a PodMonitor",
    async () => {
      const found = await monitorOf(stage);
      return found && like(found) ? found : undefined;
    },
    60_000,
  );

const said = (reason: string) => (status: LLMBridgeStatus) =>
  conditionOf(status, "PodMonitorApplied")?.reason === reason;

async function expectReady({ readyLine }: ServerProcess): Promise<void> {
  const { healthPort } = JSON.parse(readyLine) as { healthPort: number };
  await until("readiness", async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok);
}

describe("scenario 22: an API that need not be there", () => {
  it("is used from the moment that it is served, and its end stops no rollout", async () => {
    const { stage, operator } = await staged(WANTED, { namespaces: [] });
    const { client } = bed.plane;
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is absent", said("ApiAbsent"));
    await expectReady(operator);
    expect(asked(stage, ({ resource }) => resource === "podmonitors")).toEqual([]);

    await servePodMonitors(client);
    const monitor = await aMonitor(stage);
    expect(monitor.metadata).toMatchObject({
      name: "chat",
      labels: { release: "prometheus", "app.kubernetes.io/managed-by": "llmbridge-operator" },
      ownerReferences: [{ kind: "LLMBridge", name: "chat", controller: true }],
    });
    expect(monitor.spec).toMatchObject({
      selector: { matchLabels: { "llmbridge.dev/bridge": "chat" } },
      podMetricsEndpoints: [{ port: "admin", path: "/metrics", interval: "30s" }],
    });
    await bridge.waitFor("told that it is applied", said("Applied"));

    await client.delete(POD_MONITORS, stage.namespace, "chat");
    await aMonitor(stage, ({ metadata }) => metadata.uid !== monitor.metadata.uid);
    const theirs = { metadata: { annotations: { "example.com/team": "search" } } };
    await client.mergePatch(POD_MONITORS, stage.namespace, "chat", {
      ...theirs,
      spec: { podMetricsEndpoints: [] },
    });
    const restored = await aMonitor(stage, ({ spec }) => spec.podMetricsEndpoints[0]?.interval === "30s");
    expect(restored.metadata.annotations).toMatchObject(theirs.metadata.annotations);

    // A rollout asks nothing of it.
    const isNoWatch = ({ verb }: ProxiedRequest) => verb !== "watch";
    const before = asked(stage, isNoWatch).length;
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    expect(asked(stage, isNoWatch)).toHaveLength(before);
    await removePodMonitors(client);
    await bridge.waitFor("told that it is gone", said("ApiAbsent"));
    await command({ action: "promote", revision, full: true });
    await bridge.promoted(SECOND);
    await expectReady(operator);
    await servePodMonitors(client);
    await aMonitor(stage);
    await bridge.waitFor("told that it is applied again", said("Applied"));
    // Created four times, restored once; a few more came when it was on its way out.
    expect(asked(stage, isWrite).length).toBeLessThan(12);
    await stage.close();
  });

  it("follows the settings, is left as it is when they ask for it no more, and goes with its bridge", async () => {
    await servePodMonitors(bed.plane.client);
    const { stage } = await staged(SOURCES, { namespaces: [] });
    const { client } = bed.plane;
    const { bridge } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    expect(asked(stage)).toEqual([]);
    expect(conditionOf(await bridge.status(), "PodMonitorApplied")).toBeUndefined();

    settings.write(WANTED);
    await aMonitor(stage);
    settings.write({ ...SOURCES, podMonitors: { labels: { team: "a" } } });
    const { metadata } = await aMonitor(stage, (one) => one.metadata.labels?.team === "a");
    expect(metadata.labels?.release).toBeUndefined();
    await bridge.waitFor("told that it is applied", said("Applied"));

    settings.write(SOURCES);
    await bridge.waitFor("nothing told", (now) => conditionOf(now, "PodMonitorApplied") === undefined);
    expect((await monitorOf(stage))?.metadata.uid).toBe(metadata.uid);
    const quiet = asked(stage).length;
    await client.mergePatch(POD_MONITORS, stage.namespace, "chat", { metadata: { labels: { team: "b" } } });
    await bridge.patch({ replicas: 3 });
    await bridge.waitFor("three", ({ stable }) => stable?.replicas === 3);
    expect(asked(stage)).toHaveLength(quiet);
    expect((await monitorOf(stage))?.metadata.labels?.team).toBe("b");
    await client.delete(LLMBRIDGES, stage.namespace, "chat");
    // The garbage collector looks for new APIs every half a minute.
    await until("no PodMonitor", async () => (await monitorOf(stage)) === undefined, 90_000);
    await stage.close();
  });

  it("may be away at a restart, where only Roles are given", async () => {
    const { client } = bed.plane;
    await servePodMonitors(client);
    const { stage } = await staged(WANTED);
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    await aMonitor(stage);
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    await stage.kill();
    await removePodMonitors(client);
    const operator = await stage.start({ settingsPath: settings.path });
    await bridge.waitFor("told that it is gone", said("ApiAbsent"));
    await command({ action: "promote", revision, full: true });
    await bridge.promoted(SECOND);
    await expectReady(operator);
    await servePodMonitors(client);
    await aMonitor(stage);
    await bridge.waitFor("told that it is applied", said("Applied"));
    expect(asked(stage, ({ resource }) => resource === "customresourcedefinitions")).toEqual([]);
    await stage.close();
  });

  it("is left alone while it may not be used, in the server's words, and tried ever more seldom", async () => {
    const { client, api } = bed.plane;
    await servePodMonitors(client);
    settings = settingsFile(WANTED);
    const stage = await bed.stage({ isEmpty: true });
    const rules = BRIDGE_PERMISSIONS.map(ruleOf);
    const kubeconfigPath = await account(bed.plane, stage.namespace, "narrow", rules);
    const audit = startAudit(bed.plane.server.auditLogPath);
    const startedMs = Date.now();
    const operator = await stage.start({ settingsPath: settings.path, kubeconfigPath });
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    const status = await bridge.waitFor("told that it is forbidden", said("ApiForbidden"));
    expect(conditionOf(status, "PodMonitorApplied")?.message).toMatch(/podmonitors.* is forbidden: User/);
    expect(conditionOf(status, "Stalled")?.status).toBe("False");
    await bridge.patch({ image: SECOND });
    await command({ action: "promote", revision: await holding(SECOND), full: true });
    await bridge.promoted(SECOND);
    await expectReady(operator);
    const refused = (await audit.requests()).filter(
      ({ code, namespace }) => code === 403 && namespace === stage.namespace,
    );
    // Pauses of half a second at least, and each at least as long as those before it together.
    expect(refused.length).toBeLessThanOrEqual(2 + Math.log2(1 + (Date.now() - startedMs) / 500));
    expect(new Set(refused.map(({ resource }) => resource))).toEqual(new Set(["podmonitors"]));
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${stage.namespace}/roles/narrow`;
    const more = [...rules, ...POD_MONITOR_PERMISSIONS.map(ruleOf)];
    await api.request("PATCH", path, { rules: more }, "application/merge-patch+json");
    await aMonitor(stage);
    await bridge.waitFor("told that it is applied", said("Applied"));
    await stage.close();
  });

  it("takes no write or says nothing at all, and no rollout waits for it", async () => {
    const { client } = bed.plane;
    await servePodMonitors(client);
    const { stage } = await staged(WANTED);
    const isOf = ({ resource }: ProxiedRequest) => resource === "podmonitors";
    const words = "every PodMonitor needs the label cost-centre";
    const refusal = stage.proxy.when((one) => isOf(one) && isWrite(one), answer(403, "Forbidden", words));
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    const status = await bridge.waitFor("told that it is refused", said("WriteRefused"));
    expect(conditionOf(status, "PodMonitorApplied")?.message).toContain(words);
    await bridge.patch({ image: SECOND });
    await command({ action: "promote", revision: await holding(SECOND), full: true });
    await bridge.promoted(SECOND);
    expect(refusal.struck).toBe(1);
    refusal.remove();

    const silence = stage.proxy.when(isOf, hung());
    await stage.kill();
    const next = await stage.start({ settingsPath: settings.path });
    await until("asked in vain", () => silence.struck > 0);
    await bridge.patch({ image: THIRD });
    await command({ action: "promote", revision: await holding(THIRD), full: true });
    await bridge.promoted(THIRD);
    await expectReady(next);
    expect(conditionOf(await bridge.status(), "PodMonitorApplied")?.reason).toBe("WriteRefused");
    await stage.close();
  });

  it("is not said to be used again before it is", async () => {
    const { client } = bed.plane;
    await servePodMonitors(client);
    const { stage } = await staged(WANTED, { namespaces: [] });
    const { bridge } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.waitFor("told that it is applied", said("Applied"));
    await removePodMonitors(client);
    await bridge.waitFor("told that it is gone", said("ApiAbsent"));
    const stop = new AbortController();
    const bridges = createInformer<KubeObject & { readonly status?: LLMBridgeStatus }>({
      ...{ client, resource: LLMBRIDGES, namespace: stage.namespace },
    });
    const reasons = new Set<string | undefined>();
    bridges.onChange(({ object }) => {
      const conditions = object.status?.conditions ?? [];
      reasons.add(conditions.find(({ type }) => type === "PodMonitorApplied")?.reason);
    });
    const watching = bridges.start(stop.signal);
    await bridges.synced();
    stage.proxy.when((one) => one.resource === "podmonitors" && isWrite(one), answer(403, "Forbidden"));
    await servePodMonitors(client);
    await until("told that it is refused", () => reasons.has("WriteRefused"));
    stop.abort();
    await watching;
    expect([...reasons]).toEqual(["ApiAbsent", "WriteRefused"]);
    await stage.close();
  });

  it("is not fought for, and who changes its object each time stops no rollout", async () => {
    const { client } = bed.plane;
    await servePodMonitors(client);
    const { stage } = await staged(WANTED);
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    await aMonitor(stage);
    const before = asked(stage, isWrite).length;
    const stop = new AbortController();
    const opponent = (async () => {
      while (!stop.signal.aborted) {
        const spec = { podMetricsEndpoints: [{ port: "admin", interval: "1s" }] };
        if ((await monitorOf(stage))?.spec.podMetricsEndpoints[0]?.interval !== "1s")
          await client.mergePatch(POD_MONITORS, stage.namespace, "chat", { spec });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const status = await bridge.waitFor("told that it is contested", said("Contested"));
    expect(conditionOf(status, "PodMonitorApplied")?.message).toContain('podmonitors "chat"');
    expect(conditionOf(status, "Stalled")?.status).toBe("False");
    await bridge.patch({ image: SECOND });
    await command({ action: "promote", revision: await holding(SECOND), full: true });
    await bridge.promoted(SECOND);
    stop.abort();
    await opponent;
    expect(asked(stage, isWrite).length - before).toBe(3);
    await stage.close();
  });

  it("is not fought for with who deletes its object each time", async () => {
    const { client } = bed.plane;
    await servePodMonitors(client);
    const { stage } = await staged(WANTED);
    const { bridge } = stage.actor();
    const stop = new AbortController();
    const opponent = (async () => {
      while (!stop.signal.aborted) {
        if (await monitorOf(stage)) await client.delete(POD_MONITORS, stage.namespace, "chat");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await bridge.apply(storySpec(FIRST));
    await bridge.waitFor("told that it is contested", said("Contested"));
    await bridge.promoted(FIRST);
    stop.abort();
    await opponent;
    expect(asked(stage, isWrite)).toHaveLength(3);
    await stage.close();
  });
});
