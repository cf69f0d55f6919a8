import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { controllerOf, type KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { FAILS, NO_IMAGE, SUCCEEDS } from "./kubelet.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Gates that run a Job, with the real controller of Jobs; what their pods come to is said for them. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const smoke = (tag: string): string => `registry.example/smoke:${tag}`;

type Job = KubeObject & {
  spec: {
    template: { metadata: { labels: object }; spec: Record<string, unknown> };
  };
};

let bed: Bed;
let settings: TestSettings;
beforeAll(async () => {
  bed = await openBed();
  settings = settingsFile({ sources: [{ name: "default", url: "http://127.0.0.1:9" }], gateJobs: {} });
});
afterAll(async () => {
  await bed?.down();
  settings?.remove();
});

function gated(image: string, job: object, gate: object = {}): LLMBridgeSpecInput {
  const spec = storySpec(image);
  return {
    ...spec,
    rollout: {
      ...spec.rollout,
      gates: [{ name: "smoke", job: { image: smoke("runs"), ...job }, ...gate }],
      steps: [
        { name: "half", weight: 50, analysis: "None", gates: ["smoke"] },
        { name: "all", weight: 100, analysis: "None" },
      ],
    },
  };
}

async function canaryOf(job: object, gate: object = {}): Promise<Stage> {
  const stage = await bed.stage({ isEmpty: true });
  await stage.start({ settingsPath: settings.path });
  const { bridge } = stage.actor();
  await bridge.apply(gated(FIRST, job, gate));
  await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  return stage;
}

const jobsOf = (stage: Stage) => stage.list<Job>(resources.jobs);
const gatePods = async (stage: Stage) =>
  (await stage.list(resources.pods)).filter(
    ({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "gate",
  );

describe("a gate's Job", () => {
  it("that succeeds lets the canary go on, and is gone with the rollout", async () => {
    const stage = await canaryOf({ image: smoke(SUCCEEDS) });
    const { bridge } = stage.actor();
    const { decisions } = await bridge.promoted(SECOND);
    const told = decisions.filter(({ action }) => action === "Gate");
    expect(told).toMatchObject([
      {
        reason: "GatePassed",
        message: expect.stringMatching(
          /^Gate smoke of step half has passed: Job chat-smoke-[0-9a-f]{10} succeeded: 40 of 40 answers are as good\.$/,
        ),
      },
    ]);
    await expect.poll(() => jobsOf(stage)).toEqual([]);
    await expect.poll(() => gatePods(stage)).toEqual([]);
    await stage.close();
  });

  it("that fails has the canary withdrawn, and stays for its logs until another change starts", async () => {
    const stage = await canaryOf({ image: smoke(FAILS) });
    const { bridge } = stage.actor();
    await bridge.rolledBack();
    const { rollout } = await bridge.status();
    expect(rollout?.failed).toMatchObject({
      reason: "GateFailed",
      message: expect.stringMatching(
        /^gate smoke: Job chat-smoke-[0-9a-f]{10} failed: exit code 3, 3 of 40 answers are worse$/,
      ),
    });
    expect(await jobsOf(stage)).toHaveLength(1);
    await bridge.patch({ image: FIRST });
    await bridge.promoted(FIRST);
    await expect.poll(() => jobsOf(stage)).toEqual([]);
    await stage.close();
  });

  it("is told what it judges, has few rights, and none of the labels by which pods of the bridge are selected", async () => {
    const env = [{ name: "KEY", secretRef: { name: "evals", key: "token" } }];
    const stage = await canaryOf({ command: ["node"], args: ["smoke.js"], env }, { deadline: "90s" });
    const { canary, rollout } = await stage
      .actor()
      .bridge.waitFor("told that it runs", (status) => status.rollout?.gates?.[0]?.message !== undefined);
    const [[job], [pod]] = await Promise.all([jobsOf(stage), gatePods(stage)]);
    expect(job?.spec).toMatchObject({ backoffLimit: 0 });
    expect(job?.spec).not.toHaveProperty("activeDeadlineSeconds");
    expect(job && controllerOf(job)).toMatchObject({ kind: "LLMBridge", name: "chat" });
    expect(job?.spec.template.spec).toMatchObject({
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          image: smoke("runs"),
          command: ["node"],
          args: ["smoke.js"],
          env: expect.arrayContaining([
            { name: "LLMBRIDGE_BRIDGE", value: "chat" },
            { name: "LLMBRIDGE_NAMESPACE", value: stage.namespace },
            { name: "LLMBRIDGE_REVISION", value: canary?.revision },
            { name: "LLMBRIDGE_STEP", value: "half" },
            { name: "LLMBRIDGE_CANARY_URL", value: `http://chat-canary.${stage.namespace}.svc` },
            { name: "KEY", valueFrom: { secretKeyRef: { name: "evals", key: "token" } } },
          ]),
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
    expect(pod?.metadata.labels).not.toHaveProperty([LABELS.bridge]);
    expect(pod?.metadata.labels).not.toHaveProperty(["app.kubernetes.io/managed-by"]);
    expect(rollout).toMatchObject({
      heldFor: "GatePending",
      gates: [{ name: "smoke", kind: "Job", state: "Asked", message: `Job ${job?.metadata.name} runs` }],
    });
    await stage.close();
  });

  it("whose image is not there is no verdict, and says so meanwhile", async () => {
    const stage = await canaryOf({ image: smoke(NO_IMAGE) }, { deadline: "20s" });
    const { bridge } = stage.actor();
    const said = (message: string) =>
      bridge.waitFor(message, ({ rollout }) => rollout?.gates?.[0]?.message?.includes(message) ?? false);
    await said("has not started yet: ImagePullBackOff, it is not there");
    const { rollout } = await said("No verdict within 20s");
    expect(rollout).toMatchObject({ gates: [{ state: "NoData" }] });
    expect(rollout?.failed).toBeUndefined();
    await expect.poll(() => jobsOf(stage)).toEqual([]);
    await stage.close();
  });

  it("is made once, also where its operator is killed again and again", async () => {
    const stage = await canaryOf({});
    const { bridge } = stage.actor();
    await expect.poll(() => jobsOf(stage)).toHaveLength(1);
    const [first] = await jobsOf(stage);
    for (let kills = 0; kills < 3; kills++) {
      await stage.kill();
      await stage.start({ settingsPath: settings.path });
      await bridge.waitFor("asked", ({ rollout }) => rollout?.heldFor === "GatePending");
      expect(await jobsOf(stage)).toHaveLength(1);
    }
    // Decided while nobody looks.
    await stage.kill();
    const [pod] = await gatePods(stage);
    const path = `/api/v1/namespaces/${stage.namespace}/pods/${pod?.metadata.name}/status`;
    const state = { terminated: { exitCode: 0, reason: "Completed", message: "as good" } };
    const container = { name: "gate", image: "i", imageID: "i", ready: false, restartCount: 0, state };
    const status = { phase: "Succeeded", containerStatuses: [container] };
    await bed.plane.api.request("PATCH", path, { status }, "application/merge-patch+json");
    await stage.start({ settingsPath: settings.path });
    const { decisions } = await bridge.promoted(SECOND);
    const told = decisions.filter(({ action }) => action === "Gate");
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain(first?.metadata.name);
    await stage.close();
  });

  it.each(["abort", "another revision"])("is deleted with its pod by %s", async (what) => {
    const stage = await canaryOf({});
    const { bridge, command } = stage.actor();
    await expect.poll(() => jobsOf(stage)).toHaveLength(1);
    const [first] = await jobsOf(stage);
    const { canary } = await bridge.status();
    if (what === "abort") {
      await command({ action: "abort", revision: canary?.revision ?? "" });
      await bridge.rolledBack();
      await expect.poll(() => jobsOf(stage)).toEqual([]);
      await expect.poll(() => gatePods(stage)).toEqual([]);
    } else {
      await bridge.patch({ image: bridgeImage(3) });
      await expect
        .poll(async () => (await jobsOf(stage)).map(({ metadata }) => metadata.name))
        .toEqual([expect.not.stringMatching(first?.metadata.name ?? "")]);
    }
    await stage.close();
  });

  it("that the API server refuses holds up nothing but the gate, and says why", async () => {
    const stage = await bed.stage({ isEmpty: true });
    const { bridge } = stage.actor();
    const quota = {
      metadata: { name: "none", namespace: stage.namespace },
      spec: { hard: { "count/jobs.batch": "0" } },
    };
    const path = `/api/v1/namespaces/${stage.namespace}/resourcequotas`;
    await bed.plane.api.request("POST", path, quota);
    await stage.start({ settingsPath: settings.path });
    await bridge.apply(gated(FIRST, {}, { dryRun: true }));
    await bridge.promoted(FIRST);
    await bridge.patch({
      image: SECOND,
      rollout: { steps: [{ name: "all", weight: 100, hold: "1h", gates: ["smoke"] }] },
    });
    const { rollout } = await bridge.waitFor(
      "told of the refusal",
      (status) => status.rollout?.gates?.[0]?.message?.includes("exceeded quota") ?? false,
    );
    expect(rollout?.gates).toMatchObject([{ state: "Asked" }]);
    expect(conditionOf(await bridge.status(), "Ready")?.status).toBe("True");
    await stage.close();
  });

  it("is refused where the administrator has not let bridges have any", async () => {
    const stage = await bed.stage();
    const { bridge } = stage.actor();
    await bridge.apply(gated(FIRST, {}));
    const status = await bridge.waitFor("refused", (one) => conditionOf(one, "Accepted")?.status === "False");
    expect(conditionOf(status, "Accepted")?.message).toContain(
      "spec.rollout.gates[0].job: gates may run no Jobs here",
    );
    await stage.close();
  });
});
