import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../tools/setup/command.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("promote");
});
afterAll(async () => scene?.close());

describe("a good version", () => {
  it("is promoted through all steps under load, with 0 failed and 0 cut requests and no second restart", async () => {
    const bridge = scene.bridge();
    const appliedMs = Date.now();
    const { rollout } = await scene.spec();
    await bridge.apply(await scene.spec({ rollout: { ...rollout, watchAfter: "10s" } }));
    const kubectl = [scene.cluster.kubectlPath, "--kubeconfig", scene.cluster.kubeconfigPath] as const;
    await run([
      ...kubectl,
      "-n",
      scene.namespace,
      "wait",
      "--for=condition=Ready",
      "llmbridge/chat",
      "--timeout=120s",
    ]);
    console.log(`apply to Ready: ${((Date.now() - appliedMs) / 1000).toFixed(1)} s`);

    const load = await scene.load(bridge, { rps: 60, longStreams: 4, longStreamSeconds: 15, agents: 5 });
    const image = await scene.image("next");
    const editedMs = Date.now();
    await bridge.patch({ image });
    await bridge.waitFor("with a ready canary pod", (status) => (status.canary?.ready ?? 0) > 0);
    console.log(`image change to first canary pod Ready: ${((Date.now() - editedMs) / 1000).toFixed(1)} s`);
    const canary = (await bridge.status()).canary?.revision ?? "";
    const weights = new Set<number>();
    const phases = new Set<string | undefined>();
    const done = await bridge.waitFor(
      "promoted",
      (status) => {
        if (status.canary) weights.add(status.canary.desiredWeight);
        phases.add(status.phase);
        return status.phase === "Stable" && status.stable?.image === image;
      },
      240_000,
    );
    console.log(`image change to promoted: ${((Date.now() - editedMs) / 1000).toFixed(1)} s`);
    expect(done.stable?.revision).toBe(canary);
    expect([...weights]).toEqual(expect.arrayContaining([25, 50, 100]));
    expect(phases).toContain("Watching");
    const report = await load.stop();
    console.log(
      JSON.stringify({
        sent: report.sent,
        failed: report.failed,
        cut: report.cut,
        reasons: report.reasons,
        lagMs: report.lagMs,
      }),
    );
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      failed: 0,
      cut: 0,
      samples: [],
    });
    expect(report.finished).toBeGreaterThan(500);
    const pods = await run([
      ...kubectl,
      "-n",
      scene.namespace,
      "get",
      "pods",
      "-l",
      `llmbridge.dev/revision=${canary}`,
      "-o",
      "jsonpath={.items[*].status.containerStatuses[*].restartCount}",
    ]);
    expect(pods.split(" ").every((restarts) => restarts === "0")).toBe(true);
  });
});
