import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { until } from "../cluster/until.ts";
import { conditionOf } from "../scene/api.ts";
import { type Kubectl, kubectlIn, outputOfFailure } from "../scene/kubectl.ts";
import { podsOf } from "../scene/pods.ts";
import { expectUnharmed, type Serving, serving, sufferingOf } from "../scene/rollback.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
let kubectl: Kubectl;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-cli-"));
  scene = await openScene("cli");
  kubectl = kubectlIn(scene.cluster, scene.namespace);
});
afterAll(async () => {
  await scene?.close();
  await rm(folder, { recursive: true, force: true });
});

const llmbridge = (...args: readonly string[]) => kubectl("llmbridge", ...args);

/** A rollout that waits for a person at half of the traffic. */
const rollout = {
  steps: [
    { name: "half", weight: 50, hold: "5s", approval: true },
    { name: "all", weight: 100, hold: "1s" },
  ],
  analysis: { interval: "5s", errors: { rollbackAbove: "5%", promoteBelow: "10%" } },
};

let of: Serving;
let stable: string;
let canary: string;

/** The canary holds at half of the traffic; returns its revision. */
async function canaryHolds(): Promise<string> {
  const status = await of.bridge.waitFor(
    "at half",
    ({ phase, step }) => phase === "Holding" && step?.name === "half",
  );
  return status.canary?.revision ?? "";
}

describe("kubectl llmbridge, against a bridge that serves", () => {
  it("lint says what the API server would, with the line and the remedy", async () => {
    const manifest = (spec: object) =>
      stringify({
        apiVersion: "llmbridge.dev/v1alpha1",
        kind: "LLMBridge",
        metadata: { name: "chat" },
        spec,
      });
    const spec = { ...(await scene.spec()), rollout };
    const [good, bad, worse] = ["good.yaml", "bad.yaml", "worse.yaml"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(good, manifest(spec));
    await writeFile(bad, manifest({ ...spec, scaling: { minReplicas: 5, maxReplicas: 2 } }));
    await writeFile(worse, manifest({ ...spec, replica: 2 }));
    expect(await llmbridge("lint", "-f", good)).toMatch(/good\.yaml:1: .*valid/);
    const said = await outputOfFailure(llmbridge("lint", "-f", bad));
    expect(said).toMatch(/error: .*bad\.yaml:\d+: spec\.scaling/);
    // Rules are judged on a manifest of the right shape only, here as at the API server.
    const unknown = await outputOfFailure(llmbridge("lint", "-f", worse));
    expect(unknown).toMatch(/error: .*worse\.yaml:\d+: spec\.replica: .*replicas/);
  });

  it("shows a bridge at rest, and refuses orders for which there is nothing", async () => {
    of = await serving(
      scene,
      "chat",
      { replicas: 2, rollout },
      { rps: 8, longStreams: 1, longStreamSeconds: 10, agents: 1 },
    );
    stable = of.stable;
    expect(await llmbridge("get")).toMatch(
      new RegExp(`NAME +PHASE +STEP .*\\nchat +Stable +- +${stable} \\(dev\\) +- `),
    );
    expect(await llmbridge("explain", "chat")).toMatch("The stable version is what the spec asks for.");
    for (const order of ["promote", "abort"])
      expect(await outputOfFailure(llmbridge(order, "chat"))).toBe(
        `error: chat has no canary; there is nothing to ${order}.\n`,
      );
    expect(await outputOfFailure(llmbridge("retry", "chat"))).toMatch("there is nothing to try again");
    expect(await llmbridge("status", "chat")).toBe(`chat: Revision ${stable} (dev) is stable.\n`);
    expect(await llmbridge("version")).toMatch(/^client +0\.\d+\.\d+\noperator +0\.\d+\.\d+ /);
    expect(await outputOfFailure(llmbridge("status", "chta"))).toMatch(/^error: .*chta/);
  });

  it("pause holds a canary, which promote does not overrule, and resume lets it go on", async () => {
    const next = await scene.image("next");
    expect(await llmbridge("set", "image", "chat", next)).toBe(
      `chat: the image is ${next} now. A canary starts at step half (50%). \`kubectl llmbridge status chat -n ${scene.namespace}\` follows it.\n`,
    );
    canary = await canaryHolds();
    expect(await llmbridge("pause", "chat")).toMatch(/^chat: paused\./);
    expect(await llmbridge("pause", "chat")).toBe("chat: is paused already.\n");
    await of.bridge.waitFor("paused", ({ summary = "" }) => summary.includes("paused"));
    expect(await llmbridge("get", "chat")).toMatch("Holding (paused)");
    expect(await llmbridge("explain", "chat")).toMatch(
      "It is paused; `kubectl llmbridge resume chat` lets it go on.",
    );
    expect(await outputOfFailure(llmbridge("promote", "chat"))).toBe(
      `error: the operator refuses to promote chat: The rollout is paused; \`kubectl llmbridge resume chat -n ${scene.namespace}\` first, then \`kubectl llmbridge promote chat -n ${scene.namespace}\`.\n`,
    );
    expect(await llmbridge("resume", "chat")).toBe("chat: goes on.\n");
  });

  it("shows what the canary waits for, and promote releases the step that needs approval", async () => {
    await of.bridge.waitFor("waiting for a person", ({ rollout: state }) => state?.heldFor === "Approval");
    expect(await outputOfFailure(llmbridge("status", "chat", "--no-wait"))).toContain("approval");
    const status = await llmbridge("get", "chat");
    expect(status).toMatch(new RegExp(`├─ stable +${stable} .*2/2 ready`));
    expect(status).toMatch(new RegExp(`├─ canary +${canary} .*2/2 ready`));
    expect(status).toMatch(/errors +[+-]\d+\.\d\dpp .*n=\d+ +ProvedBelow/);
    expect(status).toMatch(/● half 50% .*\(needs approval\) +○ all 100%/);
    expect(await llmbridge("explain", "chat")).toMatch(
      "Why is it not promoted yet? Step half waits for a person: `kubectl llmbridge promote chat`.",
    );
    console.log(
      await kubectl("get", "llmb"),
      await llmbridge("get"),
      status,
      await llmbridge("explain", "chat"),
    );
    const followed = llmbridge("status", "chat", "--timeout", "5m");
    expect(await llmbridge("promote", "chat")).toBe(
      "chat: Step half is released; it is left as soon as its pods are ready.\n",
    );
    expect(await followed).toMatch(new RegExp(`\\nchat: Revision ${canary} \\(\\S+\\) is stable\\.\\n$`));
    await of.bridge.promoted(await scene.image("next"));
    expect((await of.bridge.status()).stable?.revision).toBe(canary);
    await kubectl("wait", "--for=condition=Ready", "llmbridge/chat", "--timeout=10s");
  });

  it("abort takes a canary away, retry tries it again, and promote --full makes it stable at once", async () => {
    await of.bridge.patch({ image: await scene.image("first") });
    const withdrawn = await canaryHolds();
    expect(await llmbridge("abort", "chat")).toBe("chat: The canary is withdrawn.\n");
    const status = await of.bridge.rolledBack();
    expect(status).toMatchObject({
      stable: { revision: canary },
      rollout: { failed: { reason: "Command" } },
    });
    expect(conditionOf(status, "Progressing")).toMatchObject({ status: "False", reason: "RolledBack" });
    expect(await llmbridge("explain", "chat")).toMatch(
      "a person asked for it. Change the spec, or try the same again with `kubectl llmbridge retry chat`.",
    );
    expect(await llmbridge("retry", "chat")).toBe(
      `chat: Revision ${withdrawn} is tried again from the first step.\n`,
    );
    await canaryHolds();
    expect(await llmbridge("promote", "chat", "--full")).toBe(
      "chat: All of the traffic moves to the canary as soon as its pods are ready.\n",
    );
    await of.bridge.promoted(await scene.image("first"));
  });

  it("restart replaces every pod by eviction under load, with a long stream and an agent, and nobody is cut", async () => {
    const pods = () => podsOf(scene.client, of.bridge);
    const before = new Set((await pods()).map(({ uid }) => uid));
    const { askedToReconnect = 0 } = of.load.snapshot().versions[stable] ?? {};
    expect(await llmbridge("restart", "chat")).toMatch(
      /^chat: 2 pods of revision \w+ are replaced one after the other\./,
    );
    await until("every pod to be another", 120_000, async () => {
      const left = (await pods()).filter(({ uid, ready }) => before.has(uid) || !ready);
      return left.length === 0 ? undefined : left.map(({ name }) => name).join(", ");
    });
    const status = await of.bridge.promoted(await scene.image("first"));
    expect(status.stable).toMatchObject({ revision: stable, ready: 2 });
    const { failed, cut, versions } = of.load.snapshot();
    expect({ failed, cut }).toEqual({ failed: 0, cut: 0 });
    // The agent's socket was on one of them, or else on both one after the other.
    expect(versions[stable]?.askedToReconnect).toBeGreaterThan(askedToReconnect);
  });

  it("told it all in Events, and no client suffered", async () => {
    const described = await kubectl("describe", "llmbridge", "chat");
    for (const reason of ["FirstReady", "NewRevision", "Prepared", "Command", "RolledBack", "Restarted"])
      expect(described.slice(described.indexOf("Events:"))).toMatch(new RegExp(`\\b${reason}\\b`));
    console.log(described.slice(described.indexOf("Events:")), await llmbridge("explain", "chat"));
    const report = await of.load.stop(15_000);
    console.log(
      `cli: ${Object.keys(report.versions)
        .map((one) => `${one}: ${sufferingOf(one, report)}`)
        .join("; ")}`,
    );
    expectUnharmed(of, report);
    expect(report.samples).toEqual([]);
  });
});
