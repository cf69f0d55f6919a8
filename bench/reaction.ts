/**
 * How soon a bad version has left: from its first bad answer to the last request that it accepted, on the real cluster with real Prometheus.
 * `node bench/reaction.ts [rounds] [weight]`; 50 requests a second to both versions, a fifth of its own the canary fails. Default: 10 rounds at 50%.
 *
 * The time has three parts: collection, until the end of the counting interval that decided; verdict, until the operator had its samples and
 * decided; action, until the last request that the canary accepted was sent. Requests that fail otherwise, and a median above three scrapes and 5 s,
 * end it with 1.
 */
import type { Outcome } from "../test/load/outcome.ts";
import type { Bridge } from "../test/scene/api.ts";
import { openScene, type Scene } from "../test/scene/scene.ts";

const ROUNDS = Number(process.argv[2] ?? 10);
const WEIGHT = Number(process.argv[3] ?? 50);
const RPS = 50;
const ERROR_SHARE = "0.2";
const INTERVAL_MS = 2_000;
const SCRAPE_S = 1;
/** What is promised: three scrapes, and 5 s to decide and act. */
const BOUND_S = 3 * SCRAPE_S + 5;

interface Reaction {
  /** From the moment when counting began, which may be a little after the first bad answer. */
  readonly countingS: number;
  readonly collectionS: number;
  readonly verdictS: number;
  readonly actionS: number;
  /** Failed requests that the canary did not answer. */
  readonly others: number;
}

const say = (text: string) => process.stdout.write(`${text}\n`);

async function round(scene: Scene, bridge: Bridge, index: number): Promise<Reaction> {
  const failures: Outcome[] = [];
  const load = await scene.load(bridge, {
    rps: RPS,
    streamShare: 0,
    repeatShare: 0,
    onOutcome: (outcome) => {
      if (outcome.failure !== undefined) failures.push(outcome);
    },
  });
  await bridge.waitFor("serving", () => load.snapshot().finished > 20 * RPS);
  // Another variable makes another revision of each round.
  const env = [
    { name: "BAD_ERROR_SHARE", value: ERROR_SHARE },
    { name: "ROUND", value: String(index) },
  ];
  await bridge.patch({ image: await scene.image("errors"), pod: { env } });
  const begun = await bridge.waitFor("judged", ({ rollout }) => rollout?.evidenceSince !== undefined);
  const sinceMs = Date.parse(begun.rollout?.evidenceSince ?? "");
  const status = await bridge.rolledBack(180_000);
  const report = await load.stop(10_000);
  const { revision: canary = "", reason = "" } = status.rollout?.failed ?? {};
  if (reason !== "ErrorsProvedWorse") throw new Error(`rolled back for another reason: ${reason}`);
  const verdict = status.decisions.find(({ action }) => action === "Rollback");
  const decidedMs = Date.parse(verdict?.time ?? "");
  const own = failures.filter(({ version }) => version === canary);
  const firstMs = Math.min(...own.map(({ intendedMs, latencyMs }) => intendedMs + latencyMs));
  const lastMs = report.versions[canary]?.lastStartMs ?? Number.NaN;
  const intervalEndMs = sinceMs + Math.floor((decidedMs - sinceMs) / INTERVAL_MS) * INTERVAL_MS;
  return {
    countingS: (intervalEndMs - sinceMs) / 1_000,
    collectionS: (intervalEndMs - firstMs) / 1_000,
    verdictS: (decidedMs - intervalEndMs) / 1_000,
    actionS: (lastMs - decidedMs) / 1_000,
    others: failures.length - own.length,
  };
}

const total = ({ collectionS, verdictS, actionS }: Reaction): number => collectionS + verdictS + actionS;

const scene = await openScene("reaction");
try {
  const bridge = scene.bridge();
  await bridge.apply(
    await scene.spec({
      scaling: { mode: "Fixed" },
      replicas: 3,
      rollout: {
        steps: [
          { name: "judged", weight: WEIGHT, hold: "1h" },
          { name: "all", weight: 100 },
        ],
        analysis: { interval: `${INTERVAL_MS / 1_000}s` },
        watchAfter: "0s",
      },
    }),
  );
  await bridge.promoted(await scene.image("first"));
  const reactions: Reaction[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    const reaction = await round(scene, bridge, index);
    reactions.push(reaction);
    const { countingS, collectionS, verdictS, actionS, others } = reaction;
    say(
      `first bad answer to the last request that the canary accepted: ${total(reaction).toFixed(1)} s ` +
        `(collection ${collectionS.toFixed(1)}, of which ${countingS.toFixed(0)} s were counted, verdict ${verdictS.toFixed(1)}, action ${actionS.toFixed(1)}); ${others} other failures`,
    );
    await bridge.patch({ image: await scene.image("first"), pod: { env: [] } });
    await bridge.promoted(await scene.image("first"));
  }
  const sorted = reactions.map(total).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  say(
    `median of ${ROUNDS}: ${median.toFixed(1)} s, ${sorted.filter((s) => s <= BOUND_S).length} within ${BOUND_S} s; ` +
      `weight ${WEIGHT}%, scrapes are ${SCRAPE_S} s apart and counting intervals are ${INTERVAL_MS / 1_000} s`,
  );
  if (median > BOUND_S || reactions.some(({ others }) => others > 0)) process.exitCode = 1;
} finally {
  await scene.close();
}
