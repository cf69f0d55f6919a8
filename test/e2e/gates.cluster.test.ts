import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { openScene, type Scene } from "../scene/scene.ts";

/** Gates that run a real Job: it reaches the canary by the address that it is told, and its last line is the reason. */

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("gates");
});
afterAll(async () => scene?.close());

/** Asks the canary's Service who answers, and says whether it is the revision that is judged. */
const PROBE = `
  const { LLMBRIDGE_CANARY_URL: url, LLMBRIDGE_REVISION: revision } = process.env;
  const response = await fetch(url + "/v1/models");
  const answers = response.headers.get("x-llmbridge-revision");
  console.error("who answers: " + (answers === revision ? "the canary" : answers));
  process.exit(process.env.WANTED === "pass" && answers === revision ? 0 : 3);
`;

async function canaryWith(name: string, wanted: "pass" | "fail") {
  const bridge = scene.bridge(name);
  const image = await scene.image("first");
  const job = {
    image,
    command: ["node", "--input-type=module", "-e", PROBE],
    env: [{ name: "WANTED", value: wanted }],
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
  };
  const { rollout } = await scene.spec();
  const spec = await scene.spec({
    scaling: { mode: "Fixed" },
    replicas: 1,
    rollout: {
      ...rollout,
      gates: [{ name: "probe", job, deadline: "2m" }],
      steps: [
        { name: "dark", weight: 0, analysis: "None", gates: ["probe"] },
        { name: "all", weight: 100, analysis: "None" },
      ],
    },
  });
  await bridge.apply(spec);
  await bridge.promoted(image);
  await bridge.patch({ image: await scene.image("next") });
  return bridge;
}

const gatePods = async () =>
  (await scene.client.list<KubeObject>(resources.pods, { namespace: scene.namespace })).filter(
    ({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "gate",
  );

describe("a gate's Job on a cluster", () => {
  it("reaches the canary and lets it go on; nothing of it is left", async () => {
    const bridge = await canaryWith("good", "pass");
    const { decisions } = await bridge.promoted(await scene.image("next"), 240_000);
    expect(decisions.find(({ action }) => action === "Gate")).toMatchObject({ reason: "GatePassed" });
    await expect.poll(gatePods, { timeout: 60_000 }).toEqual([]);
  });

  it("has a canary withdrawn with its last line for the reason, and stays for its logs", async () => {
    const bridge = await canaryWith("bad", "fail");
    await bridge.rolledBack(240_000);
    expect((await bridge.status()).rollout?.failed).toMatchObject({
      reason: "GateFailed",
      message: expect.stringMatching(
        /^gate probe: Job bad-probe-[0-9a-f]{10} failed: exit code 3, who answers: the canary$/,
      ),
    });
    expect(await gatePods()).toHaveLength(1);
  });
});
