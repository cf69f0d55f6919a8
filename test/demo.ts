/**
 * Shows the product at its main job on a real cluster: a resource becomes pods, a good version is promoted, a bad one is rolled back,
 * and more demand brings more worker threads and pods. Ends with 1 if one of these did not happen.
 */
import type { LLMBridgeSpecInput } from "../operator/api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../operator/api/v1alpha1/status.ts";
import { SetupProblem } from "../tools/setup/problem.ts";
import { createProgress } from "../tools/setup/progress.ts";
import { createTimeline } from "./demo/timeline.ts";
import type { Load } from "./load/load.ts";
import { openScene, type Scene } from "./scene/scene.ts";

const NAMESPACE = "demo";
const write = (line: string) => process.stdout.write(`${line}\n`);
const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });

function spec(scene: Scene, image: string): LLMBridgeSpecInput {
  return {
    image,
    imagePullPolicy: "Never",
    resources: { requests: { cpu: "50m", memory: "192Mi" }, limits: { cpu: "2", memory: "512Mi" } },
    cache: { memory: { maxBytes: "16Mi" } },
    upstreams: [
      { name: "model", protocol: "OpenAI", url: `${scene.model.urlInCluster}/v1`, maxConcurrencyPerPod: 16 },
    ],
    workers: { min: 1, max: 2 },
    scaling: { minReplicas: 3, maxReplicas: 7, demandWindow: "15s", scaleDownWindow: "1m" },
    alerts: [
      { name: "busy", metric: "Utilization", above: "35%", for: "10s", action: "ScaleUp", cooldown: "20s" },
    ],
    rollout: {
      steps: [
        { name: "quarter", weight: 25, hold: "10s" },
        { name: "half", weight: 50, hold: "5s" },
        { name: "all", weight: 100, hold: "5s" },
      ],
      analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
      progressDeadline: "2m",
      watchAfter: "15s",
    },
  };
}

/** What the demo promises. Each is checked on what the cluster says, never on what was asked for. */
async function play(scene: Scene): Promise<readonly string[]> {
  const broken: string[] = [];
  const bridge = scene.bridge("chat");
  let load: Load | undefined;
  const timeline = createTimeline({ bridge, load: () => load, write, nowMs: Date.now });
  const expectThat = async (
    what: string,
    wanted: (status: LLMBridgeStatus) => boolean,
    timeoutMs: number,
  ) => {
    if (await timeline.until(wanted, timeoutMs)) return;
    broken.push(what);
    timeline.say(`NOT SO: ${what}`);
  };
  const failures = () => {
    const { failed = 0, cut = 0, finished = 0 } = load?.snapshot() ?? {};
    return `${failed} failed, ${cut} cut of ${finished} requests so far`;
  };
  const [first, good, bad] = [
    await scene.image("first"),
    await scene.image("next"),
    await scene.image("errors"),
  ];

  write("");
  timeline.say(`kubectl apply: ${first}`);
  await bridge.apply(spec(scene, first));
  await expectThat("the first version becomes Ready", (status) => status.phase === "Stable", 120_000);
  const { tuning, workers, stable } = await bridge.status();
  timeline.say(
    `READY  ${stable?.replicas} pods, ${tuning?.heapMiB} MiB heap of 512Mi, ${workers?.current} of at most ${workers?.cap} worker threads`,
  );
  load = await scene.load(bridge, { rps: 80, longStreams: 4, longStreamSeconds: 20, agents: 5 });
  timeline.say("traffic: 80 requests a second, 4 long streams, 5 WebSocket agents");
  await timeline.until(() => (load?.snapshot().finished ?? 0) > 1_200, 60_000);

  write("");
  timeline.say(`a good version: ${good}`);
  await bridge.patch({ image: good });
  await expectThat(
    "the good version is promoted",
    (status) => status.phase === "Stable" && status.stable?.image === good,
    180_000,
  );
  timeline.say(failures());

  write("");
  timeline.say(`a bad version, 5 % of whose requests fail: ${bad}`);
  await bridge.patch({ image: bad });
  await expectThat(
    "the bad version is rolled back",
    (status) => status.phase === "Aborted" && status.stable?.image === good,
    180_000,
  );
  timeline.say(failures());
  await bridge.patch({ image: good });

  write("");
  timeline.say("the model becomes slow: several times as many requests are in progress");
  const before = (await bridge.status()).stable?.replicas ?? 0;
  await scene.model.set({ delayMs: 600 });
  await expectThat(
    "worker threads and replicas grow",
    (status) => (status.workers?.current ?? 0) > 1 && (status.stable?.ready ?? 0) > before,
    120_000,
  );
  timeline.say(failures());
  const report = await load.stop(10_000);
  const untouched = report.versions[stable?.revision ?? ""]?.failed ?? 0;
  if (untouched > 0) broken.push(`no request to the first version fails (${untouched} did)`);
  return broken;
}

try {
  const scene = await openScene("demo", { progress, namespace: NAMESPACE });
  const broken = await play(scene);
  const { cluster } = scene;
  write("");
  for (const one of broken) write(`FAILED: ${one}`);
  write(
    broken.length === 0
      ? "A good version was promoted, a bad one rolled back, and the bridge grew with its demand."
      : "The demo did not show what it promises.",
  );
  write(`\nThe cluster is still up:  . ${cluster.workFolder}/env`);
  write(`  kubectl llmbridge get chat -w -n ${NAMESPACE}     kubectl llmbridge explain chat -n ${NAMESPACE}`);
  write(`  metrics: ${cluster.prometheusUrl}     bridge: ${await scene.serviceUrl("chat")}/v1/models`);
  write("  make demo-down removes everything.");
  process.exit(broken.length === 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(1);
}
