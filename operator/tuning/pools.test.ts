import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { httpConnections, largestPods, MOST_POSTGRES_PER_POD, planPool, REDIS_PER_POD } from "./pools.ts";

const backend = (backendConnections: number, reserved = 0) => ({
  path: "spec.pools.postgres",
  backendConnections,
  reserved,
});
const stable = (replicas: number) => ({ field: "spec.scaling.maxReplicas" as const, replicas });

describe("largestPods", () => {
  it.each([
    [1, 3],
    [2, 5],
    [4, 9],
    [10, 23],
    [20, 45],
  ])("%i replicas: %i pods at once", (replicas, total) => {
    expect(largestPods(replicas).total).toBe(total);
  });
});

describe("planPool", () => {
  it.each([
    [200, 20, 10, 7],
    [100, 0, 10, 4],
    [200, 20, 2, 20],
    [23, 0, 10, 1],
  ])("%i connections, %i reserved, %i replicas: %i a pod", (connections, reserved, replicas, perPod) => {
    const plan = planPool(backend(connections, reserved), stable(replicas), MOST_POSTGRES_PER_POD);
    expect(plan).toMatchObject({ perPod, issue: undefined });
    expect(plan.planned).toBeLessThanOrEqual(plan.allowed);
  });

  it("reports a pool of one, unless one is all that is wanted", () => {
    expect(planPool(backend(23), stable(10), 20).message).toContain("put a pooler in front");
    expect(planPool(backend(23), stable(10), REDIS_PER_POD).message).not.toContain("pooler");
  });

  it("refuses what leaves a pod without a connection, and names numbers that are accepted", () => {
    const refused = planPool(backend(25, 5), stable(10), 20);
    expect(refused).toMatchObject({
      perPod: 0,
      issue: {
        path: "spec.pools.postgres.backendConnections",
        message:
          "the plan needs at least 23 connections (10 stable, 10 canary and 3 draining pods, one each) but spec.pools.postgres allows 20 (25 less 5 reserved); lower spec.scaling.maxReplicas to 8, or raise backendConnections to 28.",
      },
    });
    expect(planPool(backend(25, 5), stable(8), 20).perPod).toBe(1);
    expect(planPool(backend(28, 5), stable(10), 20).perPod).toBe(1);
  });

  it("says only what can help where everything is reserved", () => {
    expect(planPool(backend(10, 10), stable(2), 20).issue?.message).toBe(
      "the plan needs at least 5 connections (2 stable, 2 canary and 1 draining pods, one each) but spec.pools.postgres allows 0 (10 less 10 reserved); raise backendConnections to 15.",
    );
  });

  it("never plans above what is allowed", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 5000 }),
        fc.nat({ max: 5000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 50 }),
        (connections, reserved, replicas, ceiling) => {
          const { perPod, allowed, issue } = planPool(
            backend(connections, reserved),
            stable(replicas),
            ceiling,
          );
          expect(perPod * largestPods(replicas).total).toBeLessThanOrEqual(allowed);
          expect(perPod < 1).toBe(issue !== undefined);
        },
      ),
    );
  });
});

describe("httpConnections", () => {
  it("gives each upstream a fifth more sockets than requests", () => {
    const upstreams = [
      { name: "ollama", maxConcurrencyPerPod: 16 },
      { name: "openai", maxConcurrencyPerPod: 5 },
    ];
    expect(httpConnections(upstreams)).toEqual({ ollama: 20, openai: 6 });
  });
});
