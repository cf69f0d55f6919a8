import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { type Bridge, conditionOf } from "../scene/api.ts";
import {
  type AuditedRequest,
  countsText,
  isOperators,
  startAudit,
  writesOfOperator,
} from "../scene/audit.ts";
import { type Kubectl, kubectlIn } from "../scene/kubectl.ts";
import { leader, operatorRssBytes } from "../scene/operator-pods.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
let kubectl: Kubectl;
beforeAll(async () => {
  scene = await openScene("lifecycle");
  kubectl = kubectlIn(scene.cluster, scene.namespace);
});
afterAll(async () => scene?.close());

const REST_MS = 30_000;
const MEBIBYTE = 1024 * 1024;

/** kstatus, as kubectl wait, Argo CD, Flux and Helm read it. */
function kstatus(status: LLMBridgeStatus, generation: number): "Current" | "InProgress" | "Failed" {
  if ((status.observedGeneration ?? 0) < generation) return "InProgress";
  if (conditionOf(status, "Stalled")?.status === "True") return "Failed";
  if (conditionOf(status, "Reconciling")?.status === "True") return "InProgress";
  return conditionOf(status, "Ready")?.status === "True" ? "Current" : "InProgress";
}

const isOf = (bridge: Bridge) => (one: AuditedRequest) =>
  one.namespace === bridge.namespace && (one.name === bridge.name || one.name.startsWith(`${bridge.name}-`));
const withoutEvents = (requests: readonly AuditedRequest[]) =>
  requests.filter((one) => one.resource !== "events");
const seconds = (sinceMs: number) => ((Date.now() - sinceMs) / 1000).toFixed(1);

describe("a bridge from its first to its second version", () => {
  it("is Ready for kubectl wait and kstatus, tells by Events, and costs few requests, none of them at rest", async () => {
    const bridge = scene.bridge("chat");
    const writesOf = async (audit: ReturnType<typeof startAudit>) =>
      withoutEvents(writesOfOperator(await audit.requests()).filter(isOf(bridge)));
    let audit = startAudit(scene.cluster.auditLogPath);
    const appliedMs = Date.now();
    const steps = [
      { name: "half", weight: 50, hold: "5s" },
      { name: "all", weight: 100, hold: "5s" },
    ];
    const analysis = { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } };
    await bridge.apply(
      await scene.spec({ scaling: { minReplicas: 3, maxReplicas: 3 }, rollout: { steps, analysis } }),
    );
    await kubectl("wait", "--for=condition=Ready", "llmbridge/chat", "--timeout=120s");
    console.log(`apply to Ready: ${seconds(appliedMs)} s`);
    const ready = await bridge.waitFor("settled", (now) => kstatus(now, 1) === "Current");
    for (const condition of ready.conditions) expect(condition.observedGeneration).toBe(1);
    const toReady = await writesOf(audit);
    const children = toReady.filter((one) => one.code === 201).length;
    console.log(
      `writes, create to Ready: ${toReady.length} for ${children} children (${countsText(toReady)})`,
    );
    expect(children).toBe(9);
    expect(toReady.length).toBeLessThanOrEqual(2 * children + 4);

    const load = await scene.load(bridge, { rps: 30 });
    audit = startAudit(scene.cluster.auditLogPath);
    const editedMs = Date.now();
    await bridge.patch({ image: await scene.image("next") });
    const moving = await bridge.waitFor("seen", (now) => (now.observedGeneration ?? 0) >= 2);
    expect(kstatus(moving, 2)).toBe("InProgress");
    await bridge.waitFor("with a ready canary pod", (now) => (now.canary?.ready ?? 0) > 0);
    console.log(`image change to first canary pod Ready: ${seconds(editedMs)} s`);
    await bridge.waitFor("held at the first step", (now) => now.rollout?.phase === "Holding");
    const toHeld = await writesOf(audit);
    console.log(`writes, image change to held step: ${toHeld.length} (${countsText(toHeld)})`);
    await bridge.waitFor("promoted", (now) => now.decisions.some((one) => one.action === "Promote"));
    audit = startAudit(scene.cluster.auditLogPath);
    await bridge.promoted(await scene.image("next"));
    const toDone = await writesOf(audit);
    console.log(`writes, promote to done: ${toDone.length} (${countsText(toDone)})`);
    expect(toHeld.length).toBeLessThanOrEqual(12);
    expect(toDone.length).toBeLessThanOrEqual(12);
    const report = await load.stop();
    expect({ failed: report.failed, samples: report.samples }).toEqual({ failed: 0, samples: [] });

    const events = await kubectl("get", "events.events.k8s.io", "-o", "json");
    const told = (JSON.parse(events) as { items: { regarding?: { name?: string }; note?: string }[] }).items
      .filter((one) => one.regarding?.name === "chat")
      .map((one) => one.note);
    const decided = (await bridge.status()).decisions.map((one) => one.message);
    // Each decision, be it in one sentence with the one before it, and nothing twice.
    const untold = decided.filter((message) => !told.some((note) => note?.includes(message)));
    expect({ untold, told }).toEqual({ untold: [], told });
    expect(new Set(told).size).toBe(told.length);

    audit = startAudit(scene.cluster.auditLogPath);
    const restMs = Date.now();
    await delay(REST_MS);
    const atRest = (await audit.requests()).filter((one) => isOperators(one.userAgent));
    const other = atRest.filter(
      (one) => !["leases", "events"].includes(one.resource) && one.verb !== "watch",
    );
    console.log(
      `operator at rest: ${((atRest.length * 60_000) / (Date.now() - restMs)).toFixed(0)} requests a minute (${countsText(atRest)})`,
    );
    expect(other).toEqual([]);
    expect(writesOfOperator(atRest)).toEqual([]);
    const rss = (await operatorRssBytes(scene.client, await leader(scene.client))) / MEBIBYTE;
    console.log(`operator idle RSS: ${rss.toFixed(0)} MiB`);
    expect(rss).toBeLessThan(140);
  });
});
