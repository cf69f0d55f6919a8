import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PooledRevision, poolBudget } from "./pool-budget.ts";

function revision(over: Partial<PooledRevision> & { revision: string }): PooledRevision {
  return { wanted: 5, written: undefined, ceiling: 0, pods: [], toCreate: 0, spare: 0, ...over };
}

const pods = (count: number, generation: number | undefined, draining = false) =>
  Array.from({ length: count }, (_, index) => ({ pod: `p${index}`, generation, draining }));

describe("poolBudget", () => {
  it("grants the first revision what the plan wants and creates all of it", () => {
    expect(poolBudget(20, [revision({ revision: "a", toCreate: 4 })])).toEqual({
      state: "Settled",
      charged: 20,
      grants: [{ revision: "a", size: 5, ceiling: 5, mayCreate: 4, unconfirmed: [] }],
    });
  });

  it("shrinks the old revision first and lets the new one wait", () => {
    const old = revision({
      revision: "a",
      written: { generation: 1, size: 5 },
      ceiling: 5,
      pods: pods(4, 1),
    });
    const budget = poolBudget(20, [old, revision({ revision: "b", toCreate: 1 })]);
    expect(budget.state).toBe("Waiting");
    expect(budget.grants).toEqual([
      { revision: "a", size: 4, ceiling: 5, mayCreate: 0, unconfirmed: [] },
      { revision: "b", size: 4, ceiling: 4, mayCreate: 0, unconfirmed: [] },
    ]);
  });

  it("creates the new pod only once enough old ones have confirmed", () => {
    const shrunk = (confirmed: number) =>
      revision({
        revision: "a",
        written: { generation: 2, size: 4 },
        ceiling: 5,
        pods: [...pods(confirmed, 2), ...pods(4 - confirmed, 1)],
      });
    const mayCreate = (confirmed: number) =>
      poolBudget(20, [shrunk(confirmed), revision({ revision: "b", toCreate: 1 })]).grants[1]?.mayCreate;
    expect([0, 1, 2, 3, 4].map(mayCreate)).toEqual([0, 0, 0, 0, 1]);
  });

  it("counts a pod that never reported with the ceiling of its revision", () => {
    const old = revision({
      revision: "a",
      written: { generation: 3, size: 2 },
      ceiling: 9,
      pods: pods(1, undefined),
    });
    expect(poolBudget(20, [old]).charged).toBe(9);
    expect(poolBudget(20, [old]).grants[0]).toMatchObject({ ceiling: 9, unconfirmed: ["p0"] });
  });

  it("grows again when the other revision is gone", () => {
    const left = revision({
      revision: "b",
      written: { generation: 1, size: 2 },
      ceiling: 2,
      pods: pods(4, 1),
    });
    expect(poolBudget(20, [left]).grants[0]).toMatchObject({ size: 5, ceiling: 5 });
  });

  it("does not grow while draining pods of another revision hold their connections", () => {
    const left = revision({
      revision: "b",
      written: { generation: 1, size: 2 },
      ceiling: 2,
      pods: pods(4, 1),
    });
    const draining = revision({
      revision: "a",
      wanted: 2,
      written: { generation: 1, size: 6 },
      ceiling: 6,
      pods: pods(2, 1, true),
    });
    expect(poolBudget(20, [draining, left]).grants[1]?.size).toBe(2);
  });

  it("keeps room for pods that Kubernetes replaces by itself, less those that drain already", () => {
    const each = { revision: "a", wanted: 10, toCreate: 3 };
    expect(poolBudget(20, [revision({ ...each, spare: 1 })]).grants[0]?.size).toBe(5);
    const draining = revision({
      ...each,
      toCreate: 0,
      spare: 1,
      written: { generation: 1, size: 5 },
      ceiling: 5,
      pods: [...pods(3, 1), ...pods(1, 1, true)],
    });
    expect(poolBudget(20, [draining])).toMatchObject({ charged: 20 });
  });

  it("creates nothing, and keeps what runs, while not even one connection is left for each", () => {
    const full = revision({
      revision: "a",
      wanted: 1,
      written: { generation: 1, size: 1 },
      ceiling: 1,
      pods: pods(3, 1),
    });
    const budget = poolBudget(3, [full, revision({ revision: "b", toCreate: 1 })]);
    expect(budget).toMatchObject({ state: "Waiting", charged: 3 });
    expect(budget.grants.map(({ mayCreate }) => mayCreate)).toEqual([0, 0]);
  });

  it("shrinks to one each where more pods are wanted than there are connections", () => {
    const full = revision({
      revision: "a",
      wanted: 2,
      written: { generation: 1, size: 2 },
      ceiling: 2,
      pods: pods(4, 1),
    });
    const budget = poolBudget(10, [full, revision({ revision: "b", wanted: 2, toCreate: 8 })]);
    expect(budget.grants.map(({ size, mayCreate }) => [size, mayCreate])).toEqual([
      [1, 0],
      [1, 2],
    ]);
  });

  it("says when what runs is above a limit that was lowered, and shrinks", () => {
    const running = revision({
      revision: "a",
      written: { generation: 1, size: 5 },
      ceiling: 5,
      pods: pods(4, 1),
    });
    const budget = poolBudget(10, [running]);
    expect(budget).toMatchObject({ state: "Exceeded", charged: 20 });
    expect(budget.grants[0]).toMatchObject({ size: 2, ceiling: 5, mayCreate: 0 });
  });
});

/** A cluster in which pods take up files late, report later, vanish and are replaced whenever they like. */
interface Pod {
  name: string;
  draining: boolean;
  size: number;
  generation: number;
  reported: number | undefined;
}

class Cluster {
  readonly limit: number;
  readonly revisions: { files: number[]; ceiling: number; wanted: number; desired: number; pods: Pod[] }[] =
    [];
  #serial = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get connections(): number {
    return this.revisions.flatMap(({ pods: running }) => running).reduce((sum, { size }) => sum + size, 0);
  }

  reconcile(spare: number): void {
    const budget = poolBudget(
      this.limit,
      this.revisions.map(({ files, ceiling, wanted, desired, pods: running }, index) => ({
        revision: String(index),
        wanted,
        written: files.length === 0 ? undefined : { generation: files.length, size: files.at(-1) ?? 0 },
        ceiling,
        pods: running.map(({ name, draining, reported }) => ({ pod: name, draining, generation: reported })),
        toCreate: Math.max(0, desired - running.filter(({ draining }) => !draining).length),
        spare,
      })),
    );
    for (const [index, grant] of budget.grants.entries()) {
      const at = this.revisions[index];
      if (!at) continue;
      if (at.files.at(-1) !== grant.size) at.files.push(grant.size);
      at.ceiling = grant.ceiling;
      for (let created = 0; created < grant.mayCreate; created += 1) this.start(index);
    }
  }

  start(index: number): void {
    const at = this.revisions[index];
    if (!at) return;
    // A node that runs the revision already may mount a new pod from a file as old as its oldest pod runs.
    const generation = Math.min(at.files.length, ...at.pods.map((pod) => pod.generation));
    this.#serial += 1;
    at.pods.push({
      name: `pod-${this.#serial}`,
      draining: false,
      size: at.files[generation - 1] ?? 0,
      generation,
      reported: undefined,
    });
  }

  /** A pod starts to drain; Kubernetes replaces it at once if it was wanted and the spare allows. */
  drain(index: number, which: number, spare: number): void {
    const at = this.revisions[index];
    const pod = at?.pods.filter(({ draining }) => !draining).at(which);
    if (!at || !pod) return;
    const serving = at.pods.filter(({ draining }) => !draining).length;
    const replaced = serving <= at.desired;
    if (replaced && at.pods.filter(({ draining }) => draining).length >= spare) return;
    pod.draining = true;
    if (replaced) this.start(index);
  }
}

const EVENTS = ["reconcile", "refresh", "report", "vanish", "drain", "resize", "revise", "want"] as const;
const events = fc.array(
  fc.record({
    event: fc.constantFrom(...EVENTS, "reconcile", "refresh", "report"),
    r: fc.nat(3),
    n: fc.nat(7),
  }),
  { minLength: 10, maxLength: 120 },
);

function play(
  cluster: Cluster,
  spare: number,
  { event, r, n }: { event: string; r: number; n: number },
): void {
  const at = cluster.revisions[r % Math.max(1, cluster.revisions.length)];
  const pod = at?.pods[n % Math.max(1, at.pods.length)];
  if (event === "reconcile") cluster.reconcile(spare);
  if (event === "revise" && cluster.revisions.length < 4)
    cluster.revisions.push({ files: [], ceiling: 0, wanted: 1 + n, desired: r + 1, pods: [] });
  if (!at) return;
  if (event === "resize") {
    at.desired = n;
    while (at.pods.filter(({ draining }) => !draining).length > n)
      cluster.drain(cluster.revisions.indexOf(at), 0, Number.POSITIVE_INFINITY);
  }
  if (event === "want") at.wanted = 1 + n;
  if (event === "drain") cluster.drain(cluster.revisions.indexOf(at), n, spare);
  if (!pod) return;
  if (event === "refresh" && pod.generation < at.files.length) {
    pod.generation += 1;
    pod.size = at.files[pod.generation - 1] ?? 0;
  }
  if (event === "report") pod.reported = pod.generation;
  if (event === "vanish" && pod.draining) at.pods.splice(at.pods.indexOf(pod), 1);
}

describe("poolBudget in any interleaving", () => {
  it("never lets the pods hold more than the limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(2), events, (limit, spare, steps) => {
        const cluster = new Cluster(limit);
        for (const step of steps) {
          play(cluster, spare, step);
          expect(cluster.connections).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("reaches what is wanted once pods report and draining ones are gone", () => {
    fc.assert(
      fc.property(events, (steps) => {
        const cluster = new Cluster(400);
        for (const step of steps) play(cluster, 0, step);
        for (let round = 0; round < 6; round += 1) {
          cluster.reconcile(0);
          for (const { pods: running, files } of cluster.revisions) {
            for (const pod of running) {
              pod.generation = files.length;
              pod.size = files.at(-1) ?? 0;
              pod.reported = files.length;
            }
          }
          for (const at of cluster.revisions) at.pods = at.pods.filter(({ draining }) => !draining);
        }
        for (const { wanted, desired, pods: running } of cluster.revisions) {
          expect(running).toHaveLength(desired);
          for (const { size } of running) expect(size).toBe(wanted);
        }
      }),
      { numRuns: 500 },
    );
  });
});
