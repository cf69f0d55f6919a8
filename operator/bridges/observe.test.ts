import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { acceptance } from "./decide/acceptance.ts";
import { decide } from "./decide.ts";
import type { ObservedPod } from "./observe/pod.ts";
import { ofThisBridge, parseSpec, parseStatus } from "./observe.ts";
import { writeDueInMs } from "./report.ts";
import { World } from "./testing/world.ts";

const condition = {
  type: "Progressing",
  status: "True",
  reason: "Stepping",
  message: "Step one.",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
const newer = { phase: "Teleporting", rollout: { phase: "Teleporting" }, conditions: [condition] };
const bridgeWith = (status: unknown) => ({
  metadata: { name: "chat", namespace: "ai", uid: "u", resourceVersion: "1" },
  status,
});

describe("a status that cannot be read", () => {
  it("is known by its place, and its conditions are kept", () => {
    const { status, unreadableStatus } = parseStatus(bridgeWith(newer));
    expect(unreadableStatus).toContain("status.phase was written by a version of the operator");
    expect(status.conditions).toEqual([condition]);
    expect(status.rollout).toBeUndefined();
  });

  it("leads to no write, and to two conditions that are written once and leave the rest of the status alone", () => {
    const world = new World({
      image: "bridge:1",
      upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
    });
    const snapshot = { ...world.snapshot(), ...parseStatus(bridgeWith(newer)) };
    const { plan } = decide(snapshot);
    expect(plan).toMatchObject({ writes: [], events: [], decisions: [], statusScope: "Conditions" });
    expect(plan.status.conditions).toMatchObject([
      { type: "Progressing", status: "Unknown", reason: "UnreadableStatus" },
      { type: "Stalled", status: "True", reason: "UnreadableStatus" },
    ]);
    expect(writeDueInMs(snapshot.status, plan.status, undefined, snapshot.nowMs)).toBe(0);
    const again = decide({ ...snapshot, status: plan.status, nowMs: snapshot.nowMs + 10_000 });
    expect(writeDueInMs(plan.status, again.plan.status, undefined, snapshot.nowMs)).toBeUndefined();
  });
});

/** With one more member in every object, as a newer version may have written it. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withMore(member)]);
  return { ...Object.fromEntries(members), tomorrow: "x" };
}

const spec: LLMBridgeSpecInput = {
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  pools: { postgres: { secretRef: { name: "pg", key: "url" }, backendConnections: 100 } },
  pod: { env: [{ name: "A", value: "1" }], tolerations: [{ operator: "Exists" }] },
};

describe("a status to which a newer operator has added", () => {
  it("is read, at every place of it", () => {
    const world = new World(spec);
    world.run("1m");
    world.edit((before) => ({ ...before, image: "bridge:2" }));
    world.run("1m");
    const command = { id: "1", action: "promote", result: "Refused" as const, message: "Too late." };
    const status = { ...world.status, command };
    const { step, evidence, tuning, scaling, verdicts, budgets } = status;
    expect([step, evidence, tuning, scaling, verdicts[0], budgets[0]]).not.toContain(undefined);
    expect(parseStatus(bridgeWith(withMore(status)))).toEqual({ status, unreadableStatus: undefined });
  });
});

describe("a spec to which a newer CRD has added", () => {
  const more = {
    ...spec,
    tomorrow: "x",
    upstreams: spec.upstreams.map((one) => ({ ...one, retries: 1 })),
    pod: { ...spec.pod, hostNetwork: false },
  };

  it("is what it was without, and the condition names the fields", () => {
    const parsed = parseSpec("chat", more);
    const newer = ["spec.upstreams[0].retries", "spec.pod.hostNetwork", "spec.tomorrow"];
    expect(parsed).toEqual({ ...parseSpec("chat", spec), newer });
    expect(acceptance({ ...new World(spec).snapshot(), spec: parsed }, undefined, undefined)).toMatchObject({
      accepted: true,
      message: expect.stringContaining(`until the operator is upgraded: ${newer.join(", ")}.`),
    });
  });

  it("makes no write of a bridge at rest, and stops no rollout", () => {
    const world = new World(spec);
    world.run("1m");
    world.writes.length = 0;
    world.edit(() => more);
    world.run("1m");
    expect(world.writes).toEqual([]);
    world.edit(() => ({ ...more, image: "bridge:2" }));
    world.run("1m");
    expect(world.status.canary?.image).toBe("bridge:2");
  });

  it("is refused for what else is wrong with it", () => {
    const parsed = parseSpec("chat", { ...more, replicas: -1 });
    expect(parsed).toMatchObject({ ok: false, issues: [{ path: "spec.replicas" }] });
  });
});

describe("ofThisBridge", () => {
  const pod = { createdMs: 1_000, ready: true, terminating: false } as ObservedPod;

  it("takes a pod that is older than its bridge for one on its way out", () => {
    expect(ofThisBridge(pod, 2_000)).toMatchObject({ ready: false, terminating: true });
  });

  it("leaves a pod of the bridge's own as it is", () => {
    expect(ofThisBridge(pod, 1_000)).toBe(pod);
  });
});
