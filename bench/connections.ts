/**
 * Thousands of open streams and WebSockets through a promotion and a rollback on the real cluster: how many are cut, how they come back,
 * and how long the pods that leave take to end. `node bench/connections.ts [streams] [agents]`; ends with 1 if one was cut.
 *
 * Streams are as long as an answer of a language model may take (5 to 20 s) and give two tokens a second; one that ends is followed by
 * another. Each agent holds a WebSocket and chats once in half a minute.
 */
import { setTimeout as delay } from "node:timers/promises";
import { METRICS } from "../contract/metrics.ts";
import type { LLMBridgeSpecInput } from "../operator/api/v1alpha1/spec.ts";
import { until } from "../test/cluster/until.ts";
import type { BridgeVersion } from "../test/images/all.ts";
import type { Load } from "../test/load/load.ts";
import type { Bridge } from "../test/scene/api.ts";
import { metricsOf, podsOf, sumOf } from "../test/scene/pods.ts";
import { openScene, type Scene } from "../test/scene/scene.ts";

const STREAMS = Number(process.argv[2] ?? 1_000);
const AGENTS = Number(process.argv[3] ?? 1_000);
const STREAM_SECONDS = 20;
const AGENT_EVERY_MS = 30_000;
/** Until each stream and socket is open once. */
const WARM_UP_MS = 20_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (sinceMs: number) => `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;

async function spec(scene: Scene): Promise<LLMBridgeSpecInput> {
  const base = await scene.spec();
  return {
    ...base,
    resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { cpu: "2", memory: "512Mi" } },
    upstreams: base.upstreams.map((one) => ({ ...one, maxConcurrencyPerPod: STREAMS + AGENTS })),
    scaling: { mode: "Fixed" },
    replicas: 3,
  };
}

/** Requests to reconnect in each second, to see that clients do not come back all at once. */
function watchReconnects(load: Load): { stop(): { total: number; mostInASecond: number } } {
  const perSecond: number[] = [];
  let before = askedOf(load);
  const first = before;
  const timer = setInterval(() => {
    const now = askedOf(load);
    perSecond.push(now - before);
    before = now;
  }, 1_000);
  return {
    stop() {
      clearInterval(timer);
      return { total: askedOf(load) - first, mostInASecond: Math.max(0, ...perSecond) };
    },
  };
}

const askedOf = (load: Load): number =>
  Object.values(load.snapshot().versions).reduce((sum, { askedToReconnect }) => sum + askedToReconnect, 0);

/** Ships a version and tells what became of everything that was open. */
async function ship(
  scene: Scene,
  bridge: Bridge,
  load: Load,
  version: BridgeVersion,
  ends: (image: string) => Promise<unknown>,
): Promise<number> {
  const image = await scene.image(version);
  const before = load.snapshot();
  const reconnects = watchReconnects(load);
  const shippedMs = Date.now();
  await bridge.patch({ image });
  await ends(image);
  const took = seconds(shippedMs);
  const serving = (await bridge.status()).stable?.revision;
  const decidedMs = Date.now();
  await until("pods of the other version to have ended", 180_000, async () => {
    const left = (await podsOf(scene.client, bridge)).filter(({ revision }) => revision !== serving);
    return left.length === 0 ? undefined : `${left.length} are left`;
  });
  const { total, mostInASecond } = reconnects.stop();
  const after = load.snapshot();
  const cut = after.cut - before.cut;
  say(
    `${version}: decided after ${took}; last pod of the other version ended ${seconds(decidedMs)} later; ` +
      `${after.finished - before.finished} requests, ${after.failed - before.failed} failed, ${cut} cut; ` +
      `asked to reconnect ${total} times, at most ${mostInASecond} in a second`,
  );
  return cut;
}

async function play(scene: Scene): Promise<number> {
  const bridge = scene.bridge("open");
  await bridge.apply(await spec(scene));
  await bridge.promoted(await scene.image("first"));
  const load = await scene.load(bridge, {
    rps: 10,
    longStreams: STREAMS,
    longStreamSeconds: STREAM_SECONDS,
    agents: AGENTS,
    agentEveryMs: AGENT_EVERY_MS,
  });
  await delay(WARM_UP_MS);
  say(`${STREAMS} streams and ${AGENTS} WebSockets: ${await openOn(scene, bridge)}`);
  let cut = await ship(scene, bridge, load, "next", (image) => bridge.promoted(image, 300_000));
  cut += await ship(scene, bridge, load, "errors", () => bridge.rolledBack(300_000));
  const report = await load.stop(30_000);
  say(
    `in all: ${report.finished} requests, ${report.failed} failed, ${report.cut} cut, lag p99 ${report.lagMs.p99.toFixed(0)} ms`,
  );
  for (const sample of report.samples.filter((one) => one.cut)) say(`  ${JSON.stringify(sample)}`);
  return cut;
}

/** Resident memory of the pods' processes and what is open on them, as their own metrics tell it. */
async function openOn(scene: Scene, bridge: Bridge): Promise<string> {
  const pods = await podsOf(scene.client, bridge);
  const each = await Promise.all(
    pods.map(async (pod) => {
      const samples = await metricsOf(pod);
      const residentMiB = (sumOf(samples, "process_resident_memory_bytes") ?? 0) / 2 ** 20;
      return `${sumOf(samples, METRICS.openStreams) ?? 0} streams in ${residentMiB.toFixed(0)} MiB`;
    }),
  );
  return each.join(", ");
}

const scene = await openScene("connections");
try {
  process.exitCode = (await play(scene)) === 0 ? 0 : 1;
} finally {
  await scene.close();
}
