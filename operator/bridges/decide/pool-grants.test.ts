import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { Snapshot } from "../snapshot.ts";
import { bounds } from "./bounds.ts";
import { grant } from "./pool-grants.ts";
import type { StoredRevision } from "./runtime.ts";

const secretRef = { name: "s", key: "url" };

/** Three stable pods, three of a canary, and as many that drain. */
function granted(pools: object, draining: number, stored: ReadonlyMap<string, StoredRevision> = new Map()) {
  const spec = llmBridgeSpec.parse({
    image: "bridge:1",
    upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
    cache: { redis: { secretRef } },
    pools,
    scaling: { minReplicas: 2, maxReplicas: 3 },
  });
  const pods = [
    ...[1, 2, 3].map((n) => ({
      name: `stable-${n}`,
      revision: "stable",
      terminating: false,
      finished: false,
    })),
    ...Array.from({ length: draining }, (_, n) => ({
      ...{ name: `gone-${n}`, revision: "gone", terminating: true, finished: false },
    })),
  ];
  const deployments = [
    { revision: "stable", replicas: 3 },
    { revision: "gone", replicas: 0 },
    { revision: "canary", replicas: 0 },
  ];
  const snapshot = { pods, deployments, fleet: { kind: "failing" } } as unknown as Snapshot;
  return grant({
    snapshot,
    bounds: bounds(spec),
    postgresRef: spec.pools.postgres?.secretRef,
    stored,
    replicas: { stable: 3, gone: 0, canary: 3 },
    workers: 1,
    workerCap: 1,
  });
}

describe("grant", () => {
  it("creates what was planned for", () => {
    const { replicas, grants } = granted({ redis: { backendConnections: 11 } }, 0);
    expect(replicas).toEqual({ stable: 3, gone: 0, canary: 3 });
    expect(grants.canary?.redisConnections).toBe(1);
  });

  it.each([
    ["Redis", { redis: { backendConnections: 7 } }],
    ["Postgres", { postgres: { secretRef, backendConnections: 7 } }],
  ])("lets the largest canary in with the fewest connections of %s that are accepted", (_, pools) => {
    expect(granted(pools, 0).replicas).toEqual({ stable: 3, gone: 0, canary: 3 });
  });

  it.each([
    ["Redis", { redis: { backendConnections: 8 } }],
    ["Postgres", { postgres: { secretRef, backendConnections: 8, maxPerPod: 1 } }],
  ])("creates no pod for which draining ones leave no connection of %s", (_, pools) => {
    // 3 stable and 3 draining pods, and one that may be replaced unasked.
    expect(granted(pools, 3).replicas.canary).toBe(1);
    expect(granted(pools, 4).replicas.canary).toBe(0);
  });

  /** The stable version as it is stored, made from a spec with this Secret; its pods may hold 4 connections each. */
  const storedWith = (name: string | undefined) =>
    new Map([
      [
        "stable",
        {
          revision: "stable",
          config: {
            workers: { cap: 1 },
            ...(name === undefined ? {} : { postgres: { urlFile: `/${name}` } }),
          },
          rendered: undefined,
          runtime: { generation: 1, postgresConnections: name === undefined ? 0 : 4, redisConnections: 1 },
          spec: { pools: name === undefined ? {} : { postgres: { secretRef: { name, key: "url" } } } },
          postgresCeiling: 4,
        } as unknown as StoredRevision,
      ],
    ]);
  const large = { postgres: { secretRef, backendConnections: 400 } };
  it.each([
    ["keeps the pool of a version whose Postgres the spec has no more", {}, "s", 4, 4],
    [
      "keeps the pool of a version that uses another server, whatever the new one allows",
      large,
      "other",
      4,
      4,
    ],
    ["gives a version the new numbers of the server that it uses", large, "s", 20, 20],
    ["gives a version that uses no Postgres none", large, undefined, 0, 4],
  ] as const)("%s", (_, pools, name, size, ceiling) => {
    const { grants, replicas } = granted(pools, 0, storedWith(name));
    expect(grants.stable).toMatchObject({ postgresConnections: size, postgresCeiling: ceiling });
    expect(replicas.stable).toBe(3);
  });

  it("counts only the pods that use a server against what it allows", () => {
    const small = { postgres: { secretRef, backendConnections: 8, maxPerPod: 1 } };
    const canaryOf = (name: string) => granted(small, 4, storedWith(name)).replicas.canary;
    expect([canaryOf("s"), canaryOf("other")]).toEqual([0, 3]);
  });

  it("keeps the reserve for the pod that may hold most by what is granted, not only by what was", () => {
    const spec = llmBridgeSpec.parse({
      image: "bridge:1",
      upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
      pools: { postgres: { secretRef, backendConnections: 25 } },
      scaling: { minReplicas: 1, maxReplicas: 3 },
    });
    const wanted: Record<string, number> = { b: 1, "a-baseline": 3, a: 5 };
    const { grants, replicas } = grant({
      snapshot: { pods: [], deployments: [], fleet: { kind: "failing" } } as unknown as Snapshot,
      bounds: bounds(spec),
      postgresRef: secretRef,
      stored: new Map(),
      replicas: wanted,
      workers: 1,
      workerCap: 1,
    });
    const most = (revision: string) => grants[revision]?.postgresCeiling ?? 0;
    const held = Object.keys(wanted).reduce((sum, one) => sum + (replicas[one] ?? 0) * most(one), 0);
    expect(held + Math.max(...Object.keys(wanted).map(most))).toBeLessThanOrEqual(25);
  });
});
