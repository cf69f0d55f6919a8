import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RuntimeConfig } from "../../../contract/config.ts";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { Snapshot } from "../snapshot.ts";
import { bounds } from "./bounds.ts";
import { grant } from "./pool-grants.ts";
import { nextRuntime, type StoredRevision } from "./runtime.ts";

/** Two versions, the baseline of one, and a third that comes in the middle. */
const REVISIONS = ["a", "a-baseline", "b", "c"] as const;
type Revision = (typeof REVISIONS)[number];
const secretRef = { name: "pg", key: "url" };

interface Pod {
  readonly name: string;
  draining: boolean;
  /** Generation of the file that it runs, and the one that it has reported. */
  generation: number;
  reported: number | undefined;
}

interface Held {
  /** Runtime files so far, the newest last. */
  readonly files: RuntimeConfig[];
  ceiling: number;
  wanted: number;
  /** Of its Deployment. */
  replicas: number;
  pods: Pod[];
}

const living = ({ pods }: Held): Pod[] => pods.filter(({ draining }) => !draining);

/** A bridge whose Deployments, pods and metrics follow the operator when they like. */
class Bridge {
  readonly spec;
  readonly revisions = new Map<Revision, Held>();
  metricsAnswer = true;
  #pods = 0;

  constructor(postgres: number, redis: number) {
    this.spec = llmBridgeSpec.parse({
      image: "bridge:1",
      upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
      cache: { redis: { secretRef } },
      pools: { postgres: { secretRef, backendConnections: postgres }, redis: { backendConnections: redis } },
      scaling: { minReplicas: 1, maxReplicas: 3 },
    });
  }

  /** Connections that all pods hold at present, of Postgres and of Redis. */
  get held(): { postgres: number; redis: number } {
    const files = [...this.revisions.values()].flatMap((one) =>
      one.pods.map(({ generation }) => one.files[generation - 1]),
    );
    const sum = (of: (file: RuntimeConfig) => number) =>
      files.reduce((all, file) => all + (file ? of(file) : 0), 0);
    return { postgres: sum((file) => file.postgresConnections), redis: files.length };
  }

  reconcile(): void {
    const { grants, replicas } = grant({
      snapshot: this.#snapshot(),
      bounds: bounds(this.spec),
      postgresRef: secretRef,
      stored: this.#stored(),
      replicas: Object.fromEntries([...this.revisions].map(([name, { wanted }]) => [name, wanted])),
      workers: 1,
      workerCap: 1,
    });
    for (const [name, one] of this.revisions) {
      const given = grants[name];
      if (!given) continue;
      const { postgresConnections, redisConnections, workers, postgresCeiling } = given;
      const numbers = { postgresConnections, redisConnections, workers };
      const { runtime, changed } = nextRuntime(
        one.files.at(-1),
        numbers as Omit<RuntimeConfig, "generation">,
      );
      if (changed) one.files.push(runtime);
      one.ceiling = postgresCeiling;
      one.replicas = replicas[name] ?? 0;
    }
  }

  /** As its Deployment does it: what is missing starts, what is too many is told to end. */
  follow(one: Held): void {
    const alive = living(one);
    for (let missing = one.replicas - alive.length; missing > 0; missing -= 1) this.#start(one);
    for (const pod of alive.slice(one.replicas)) pod.draining = true;
  }

  /** The disruption budget lets one pod of the bridge go at a time, and Kubernetes replaces it while it drains. */
  evict(one: Held): void {
    const drains = [...this.revisions.values()].some(({ pods }) => pods.some(({ draining }) => draining));
    const pod = living(one)[0];
    if (drains || !pod || living(one).length > one.replicas) return;
    pod.draining = true;
    this.#start(one);
  }

  #start(one: Held): void {
    // A node that has a pod of the revision may mount the next from a file as old as that pod's.
    const generation = Math.min(one.files.length, ...one.pods.map((pod) => pod.generation));
    this.#pods += 1;
    one.pods.push({ name: `pod-${this.#pods}`, draining: false, generation, reported: undefined });
  }

  #snapshot(): Snapshot {
    const all = [...this.revisions];
    const pods = all.flatMap(([revision, one]) =>
      one.pods.map(({ name, draining }) => ({ name, revision, terminating: draining, finished: false })),
    );
    const readings = all.flatMap(([, one]) =>
      one.pods.flatMap(({ name, reported }) =>
        reported === undefined ? [] : [{ pod: name, generation: reported }],
      ),
    );
    return {
      pods,
      deployments: all.map(([revision, { replicas }]) => ({ revision, replicas })),
      fleet: this.metricsAnswer ? { kind: "ok", value: readings } : { kind: "failing" },
    } as unknown as Snapshot;
  }

  #stored(): Map<string, StoredRevision> {
    const written = [...this.revisions].filter(([, { files }]) => files.length > 0);
    return new Map(
      written.map(([revision, { files, ceiling }]) => [
        revision,
        {
          revision,
          config: { workers: { cap: 1 }, postgres: { urlFile: "/pg" } },
          rendered: undefined,
          runtime: files.at(-1),
          spec: { pools: { postgres: { secretRef } } },
          postgresCeiling: ceiling,
        } as unknown as StoredRevision,
      ]),
    );
  }
}

const EVENTS = ["reconcile", "follow", "want", "refresh", "report", "gone", "evict", "metrics"] as const;
type Happening = { event: (typeof EVENTS)[number]; which: Revision; n: number };
const histories = fc.array(
  fc.record({
    event: fc.constantFrom(...EVENTS, "reconcile" as const, "follow" as const, "want" as const),
    which: fc.constantFrom(...REVISIONS),
    n: fc.nat(6),
  }),
  { minLength: 20, maxLength: 150 },
);

function happens(bridge: Bridge, { event, which, n }: Happening): void {
  if (event === "reconcile") bridge.reconcile();
  if (event === "metrics") bridge.metricsAnswer = !bridge.metricsAnswer;
  const one = bridge.revisions.get(which);
  if (event === "want" && !one)
    bridge.revisions.set(which, { files: [], ceiling: 0, wanted: n, replicas: 0, pods: [] });
  if (!one) return;
  if (event === "want") one.wanted = n;
  if (event === "follow") bridge.follow(one);
  if (event === "evict") bridge.evict(one);
  const pod = one.pods[n % Math.max(1, one.pods.length)];
  if (!pod) return;
  if (event === "refresh") pod.generation = Math.min(one.files.length, pod.generation + 1);
  if (event === "report") pod.reported = pod.generation;
  if (event === "gone" && pod.draining) one.pods.splice(one.pods.indexOf(pod), 1);
}

const SEED = 20_260_101;

describe("what pods of every revision hold of their backends, in any history of rollouts, drains and reports", () => {
  it("is never above what the servers allow", () => {
    let most = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 60 }),
        fc.integer({ min: 8, max: 20 }),
        histories,
        (postgres, redis, steps) => {
          const bridge = new Bridge(postgres, redis);
          for (const step of steps) {
            happens(bridge, step);
            const { held } = bridge;
            expect(held.postgres).toBeLessThanOrEqual(postgres);
            expect(held.redis).toBeLessThanOrEqual(redis);
            most = Math.max(most, held.postgres / postgres);
          }
        },
      ),
      { numRuns: 1500, seed: SEED },
    );
    // The histories come to the limit, or they would prove nothing.
    expect(most).toBe(1);
  });
});
