import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { measureBaseline } from "../evidence/baseline.ts";
import { decide } from "./decide.ts";
import { ANNOTATIONS } from "./names.ts";
import type { Snapshot } from "./snapshot.ts";
import { steppedSpec } from "./testing/stepped-spec.ts";
import { World } from "./testing/world.ts";

const spec = steppedSpec({ name: "quarter", weight: 25 }, { progressDeadline: "2m", watchAfter: "0s" });
const setImage = (image: string) => (before: LLMBridgeSpecInput) => ({ ...before, image });
const condition = (world: World, type: string) => world.status.conditions.find((one) => one.type === type);

function serving(): World {
  const world = new World(spec);
  world.run("30s");
  return world;
}

describe("decide", () => {
  it("makes every child of a first version and is Ready when its pods are", () => {
    const world = serving();
    expect(
      [...world.children.keys()].map((key) => key.replace(/chat-[0-9a-f]{10}/, "chat-REV")).sort(),
    ).toEqual([
      "configmaps/chat-REV",
      "configmaps/chat-REV-runtime",
      "networkpolicies/chat",
      "poddisruptionbudgets/chat",
      "serviceaccounts/chat",
      "services/chat",
      "services/chat-canary",
      "services/chat-production",
    ]);
    expect(world.pods.filter((pod) => pod.ready)).toHaveLength(3);
    expect(condition(world, "Ready")).toMatchObject({ status: "True", reason: "Serving" });
    expect(world.status.phase).toBe("Stable");
  });

  it("is Ready without pods where nobody wants any, and not where the Deployment alone does not", () => {
    const idle = new World({ ...spec, scaling: { mode: "Fixed" }, replicas: 3 });
    idle.run("30s");
    idle.edit((before) => ({ ...before, replicas: 0 }));
    idle.run("30s");
    expect(condition(idle, "Ready")).toMatchObject({ status: "True", reason: "ScaledToZero" });
    const world = serving();
    for (const { spec } of world.deployments.values()) spec.replicas = 0;
    world.pods = [];
    const { conditions } = decide(world.snapshot()).plan.status;
    expect(conditions.find(({ type }) => type === "Ready")).toMatchObject({
      status: "False",
      reason: "PodsNotReady",
      message: expect.stringMatching(/^0 of 3 pods of revision/),
    });
  });

  it("keeps of its history what served last, also where that was made first", () => {
    const world = new World({ ...spec, rollout: { ...spec.rollout, revisionHistoryLimit: 1 } });
    world.run("30s");
    for (const image of ["bridge:2", "bridge:1", "bridge:3"]) {
      world.edit(setImage(image));
      for (let i = 0; i < 60 && (i === 0 || world.status.phase !== "Stable"); i++) world.run("10s");
      expect(world.status.stable?.image).toBe(image);
    }
    const images = [...world.deployments.values()].map(
      ({ metadata }) => metadata.annotations?.["llmbridge.dev/image"],
    );
    expect(images.sort()).toEqual(["bridge:1", "bridge:3"]);
  });

  it("says before a rollout when the present traffic could decide it", () => {
    const world = serving();
    expect(world.status.forecast?.message).toContain(
      "is proved good enough at step quarter (25%) within about",
    );
    world.requestsPerSecond = 0;
    world.run("10s");
    expect(world.status.forecast?.message).toContain("proves nothing within 72h");
  });

  it("says before a switch that nothing will be proved", () => {
    const world = serving();
    world.edit((spec) => ({ ...spec, rollout: { ...spec.rollout, strategy: "BlueGreen" } }));
    world.run("10s");
    expect(world.status.forecast?.message).toContain("(100%) is left when its hold is over");
  });

  it("makes each child once and has nothing to correct in it a pass later", () => {
    const world = serving();
    expect(world.writes.filter((write) => write.kind !== "Create")).toEqual([]);
  });

  it("is silent at rest: no write, the same status", () => {
    const world = serving();
    const [writes, status] = [world.writes.length, world.status];
    world.run("2m");
    expect(world.writes).toHaveLength(writes);
    expect(world.status).toEqual(status);
  });

  it("promotes a good version without touching a pod template", () => {
    const world = serving();
    const first = world.status.rollout?.stableRevision;
    world.edit(setImage("bridge:2"));
    world.run("3m");
    expect(world.status.phase).toBe("Stable");
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:2");
    expect(world.status.rollout?.stableRevision).not.toBe(first);
    const updates = world.writes.filter(
      (write) => write.kind === "Update" && write.resource === "deployments",
    );
    expect(updates).toEqual([]);
    expect(world.decisions.map((one) => one.action)).toContain("Promote");
  });

  it("rolls a bad version back, with stable pods untouched, and does not try it again", () => {
    const world = serving();
    const stablePods = world.pods.map((pod) => pod.name);
    world.behaviours["bridge:2"] = { errorShare: 0.1 };
    world.edit(setImage("bridge:2"));
    world.run("3m");
    expect(world.status.phase).toBe("Aborted");
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:1");
    expect(world.pods.map((pod) => pod.name)).toEqual(expect.arrayContaining(stablePods));
    expect(world.servicePods("chat")).toEqual([world.status.rollout?.stableRevision]);
    expect(condition(world, "Ready")?.status).toBe("True");
    expect(condition(world, "Progressing")).toMatchObject({ status: "False", reason: "RolledBack" });
    const writes = world.writes.length;
    world.run("2m");
    expect(world.writes).toHaveLength(writes);
  });

  it("says why a change has not started, and not that it is complete", () => {
    const world = serving();
    expect(condition(world, "Progressing")).toMatchObject({ status: "False", reason: "Complete" });
    expect(condition(world, "Reconciling")).toMatchObject({ status: "False", reason: "Settled" });
    world.edit((before) => ({
      ...setImage("bridge:2")(before),
      rollout: { ...before.rollout, paused: true },
    }));
    world.run("10s");
    expect(world.status).toMatchObject({ phase: "Stable", rollout: { heldFor: "Paused" } });
    expect(condition(world, "Progressing")).toMatchObject({ status: "False", reason: "Paused" });
    expect(condition(world, "Reconciling")).toMatchObject({ status: "True", reason: "Paused" });
    world.edit((before) => ({ ...before, rollout: { ...before.rollout, paused: false } }));
    world.run("3m");
    expect(condition(world, "Progressing")).toMatchObject({ status: "False", reason: "Complete" });
    expect(condition(world, "Reconciling")).toMatchObject({ status: "False", reason: "Settled" });
  });

  it("names the budget that leaves no room for a canary, and starts it once that is raised", () => {
    const budget = (cpu: string) => (before: LLMBridgeSpecInput) => ({ ...before, budget: { cpu } });
    const world = new World(budget("4")({ ...spec, scaling: { minReplicas: 4, maxReplicas: 4 } }));
    world.run("30s");
    world.edit(setImage("bridge:2"));
    world.run("30s");
    expect(condition(world, "Progressing")).toMatchObject({
      reason: "NoRoom",
      message: expect.stringContaining("raise spec.budget.cpu to fit at least 5."),
    });
    world.edit(budget("5"));
    world.run("5m");
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:2");
  });

  it("is settled with a change that waits for pods to be wanted", () => {
    const world = new World({ ...spec, scaling: { mode: "Fixed" }, replicas: 2 });
    world.run("30s");
    world.edit((before) => ({ ...setImage("bridge:2")(before), replicas: 0 }));
    world.run("30s");
    expect(condition(world, "Progressing")).toMatchObject({ status: "False", reason: "NoPodsNeeded" });
    expect(condition(world, "Reconciling")).toMatchObject({ status: "False", reason: "Settled" });
  });

  it("holds while the source does not answer, and goes on after", () => {
    const world = serving();
    world.edit(setImage("bridge:2"));
    world.run("4s");
    world.metricsDown = true;
    world.run("5m");
    expect(world.status.rollout?.canaryRevision).toBeDefined();
    expect(condition(world, "MetricsAvailable")).toMatchObject({ status: "False", reason: "SourceFailing" });
    world.metricsDown = false;
    world.run("3m");
    expect(world.status.phase).toBe("Stable");
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:2");
  });

  it.each([[[]], [[{ name: "memory", metric: "MemoryPerPod" as const, maxIncrease: "30%" }]]])(
    "has told all of it when a rollout begins to hold, so that the next operator has nothing to write: gates %j",
    (gates) => {
      const world = new World({
        ...spec,
        rollout: { ...spec.rollout, analysis: { ...spec.rollout?.analysis, gates } },
      });
      world.run("30s");
      world.edit(setImage("bridge:2"));
      world.requestsPerSecond = 0;
      const onePass = "1ms";
      for (let i = 0; i < 200 && world.status.evidence === undefined; i++) world.run(onePass);
      const { verdicts } = world.status;
      expect(verdicts).toHaveLength(1 + gates.length);
      world.restartOperator();
      world.run(onePass);
      expect(world.status.verdicts).toEqual(verdicts);
    },
  );

  it("begins its evidence from the stable version's past, for which it waits while the source fails", () => {
    const world = serving();
    const pods = [{ pod: "a", counts: { requests: 500, bad: 5 } }];
    world.past = () => measureBaseline({ errors: [{ endMs: 1, pods }] });
    world.edit(setImage("bridge:2"));
    world.metricsDown = true;
    world.run("1m");
    expect(world.status.rollout?.evidenceSince).toBeDefined();
    expect(world.status.evidence).toBeUndefined();
    world.metricsDown = false;
    for (let i = 0; i < 20 && world.memory.evidence === undefined; i++) world.run("1ms");
    const { state } = world.memory.evidence ?? {};
    expect(state?.signals.errors?.known.bad).toBeGreaterThan(0);
    expect(state?.intervalEndMs).toBe(Date.parse(world.status.rollout?.evidenceSince ?? ""));
  });

  it("takes one look at its gates where what was missed for hours is counted pass by pass", () => {
    const memory = { name: "memory", metric: "MemoryPerPod" as const, below: "20Mi" };
    const world = serving();
    world.edit((before) => ({
      ...before,
      image: "bridge:2",
      rollout: { ...before.rollout, analysis: { ...before.rollout?.analysis, gates: [memory] } },
    }));
    for (let i = 0; i < 100 && world.status.phase !== "Holding"; i++) world.run("1ms");
    const canary = world.status.rollout?.canaryRevision ?? "";
    const counts = { canary: { requests: 10, bad: 0 }, stable: { requests: 10, bad: 0 } };
    const looksAfter = (snapshot: Snapshot, endsMs: readonly number[]) => {
      const value = {
        intervals: endsMs.map((endMs) => ({ endMs, signals: { errors: counts } })),
        ...{ throughMs: endsMs.at(-1) ?? 0, waitingFor: [], readableMs: snapshot.nowMs },
      };
      const reading = { kind: "ok" as const, value };
      const next = decide({ ...snapshot, evidence: { kind: "Intervals", canary, reading } });
      return { memory: next.memory, looks: next.memory.evidence?.state.gates.memory?.evidence.looks };
    };
    const from = world.memory.evidence?.state.intervalEndMs ?? 0;
    world.nowMs += 5 * 3_600_000;
    for (const pass of [0, 1, 2, 3]) {
      const ends = Array.from({ length: 240 }, (_, index) => from + (pass * 240 + index + 1) * 5_000);
      const { memory, looks } = looksAfter(world.snapshot(), ends);
      expect(looks).toBe(0);
      world.memory = memory;
    }
    const { looks } = looksAfter(world.snapshot(), [world.nowMs - 5_000, world.nowMs]);
    expect(looks).toBe(1);
  });

  it("loses and doubles no interval when the operator restarts between any two passes", () => {
    const world = serving();
    world.edit(setImage("bridge:2"));
    for (let seconds = 0; seconds < 180; seconds += 2) {
      world.restartOperator();
      world.run("2s");
    }
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:2");
  });

  it("gathers evidence anew when the margins are edited in the middle", () => {
    const world = serving();
    world.behaviours["bridge:2"] = { errorShare: 0.02 };
    world.edit((before) => ({
      ...before,
      image: "bridge:2",
      rollout: {
        ...before.rollout,
        analysis: { interval: "5s", errors: { rollbackAbove: "5%", promoteBelow: "50%" } },
      },
    }));
    world.run("14s");
    expect(world.status.verdicts[0]?.category).toBe("ProvedBelow");
    world.edit((before) => ({
      ...before,
      rollout: {
        ...before.rollout,
        analysis: { interval: "5s", errors: { rollbackAbove: "0.5%", promoteBelow: "1%" } },
      },
    }));
    world.run("1m");
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });

  it("keeps running what runs while the spec is refused", () => {
    const world = serving();
    world.edit((before) => ({
      ...before,
      image: "bridge:2",
      tuning: { nodeOptions: { maxOldSpaceMiB: 4096 } },
    }));
    world.run("1m");
    expect(condition(world, "Accepted")?.status).toBe("False");
    expect(condition(world, "Ready")?.status).toBe("True");
    expect(world.deployments.size).toBe(1);
  });

  it("keeps a history whose limit cannot be read", () => {
    const world = serving();
    for (const image of [
      "bridge:2",
      "bridge:3",
      "bridge:4",
      "bridge:5",
      "bridge:6",
      "bridge:7",
      "bridge:8",
    ]) {
      world.edit((before) => ({
        ...setImage(image)(before),
        rollout: { ...before.rollout, revisionHistoryLimit: 20 },
      }));
      world.run("3m");
    }
    const before = world.deployments.size;
    expect(before).toBeGreaterThan(6);
    world.edit((spec) => ({ ...spec, image: 5 as unknown as string }));
    world.run("10m");
    expect(world.deployments.size).toBe(before);
  });

  it("rolls back a version that ends again and again", () => {
    const world = serving();
    world.behaviours["bridge:2"] = { crash: true };
    world.edit(setImage("bridge:2"));
    world.run("1m");
    expect(world.status.rollout?.failed?.reason).toBe("CrashLoop");
    expect(world.status.phase).toBe("Aborted");
  });

  it("rolls back a version that is never ready, at the deadline", () => {
    const world = serving();
    world.behaviours["bridge:2"] = { neverReady: true };
    world.edit(setImage("bridge:2"));
    world.run("1m");
    expect(world.status.phase).toBe("Preparing");
    world.run("2m");
    expect(world.status.rollout?.failed?.reason).toBe("NeverReady");
  });

  it("tells of a first version that is not ready in time that somebody has to look, and tries it on", () => {
    const world = new World(spec);
    world.behaviours["bridge:1"] = { neverReady: true };
    world.run("1m");
    expect(condition(world, "Stalled")?.status).toBe("False");
    world.run("2m");
    expect(condition(world, "Stalled")).toMatchObject({
      ...{ status: "True", reason: "NeverReady" },
      message: expect.stringContaining("is not ready within progressDeadline 2m"),
    });
    expect(condition(world, "Reconciling")?.status).toBe("False");
    world.behaviours = {};
    world.edit(setImage("bridge:2"));
    world.run("30s");
    expect(world.status.phase).toBe("Stable");
    expect(condition(world, "Stalled")?.status).toBe("False");
  });

  it("grows with demand within its bounds and shrinks one by one, the chosen pod first", () => {
    const world = serving();
    world.streams = 60;
    world.run("1m");
    const grown = world.pods.length;
    expect(grown).toBeGreaterThan(3);
    expect(grown).toBeLessThanOrEqual(9);
    world.streams = 1;
    world.run("15m");
    expect(world.pods).toHaveLength(3);
    const costs = world.writes.filter((write) => write.kind === "AnnotatePod");
    expect(costs.length).toBeGreaterThanOrEqual(grown - 3);
  });

  it("tells that every pod has read a changed Secret, in status and once as an Event, after touching those that had not", () => {
    const world = serving();
    const [first, ...others] = world.pods.map(({ name }) => name);
    const told = (sinceMs: number, changes: number) => ({ openai: { sinceMs, changes, refused: false } });
    const startedMs = world.nowMs;
    for (const name of [first, ...others]) world.secrets[name ?? ""] = told(startedMs, 0);
    world.run("1m");
    expect(world.status.secrets).toEqual([]);
    world.secrets[first ?? ""] = told(world.nowMs, 1);
    world.run("10s");
    const touched = world.writes.filter(
      (write) => write.kind === "AnnotatePod" && ANNOTATIONS.secretsChanged in write.annotations,
    );
    expect(touched.map((write) => (write.kind === "AnnotatePod" ? write.name : "")).sort()).toEqual(
      others.toSorted(),
    );
    for (const name of others) world.secrets[name] = told(world.nowMs, 1);
    world.run("1m");
    expect(world.status.secrets).toMatchObject([{ name: "openai", state: "Reread", pods: 3, read: 3 }]);
    expect(world.decisions.filter(({ action }) => action === "Reread")).toEqual([
      expect.objectContaining({ message: 'Secret "openai" was re-read by 3 of 3 pods.' }),
    ]);
  });

  it("goes on trying to write what met a name that is taken, and says so", () => {
    const world = new World(spec);
    const problem = { kind: "NameConflict", message: "Service chat is taken." } as const;
    const { plan } = decide({ ...world.snapshot(), problem });
    expect(plan.writes).toEqual(world.pass().writes);
    expect(plan.status.conditions.find((one) => one.type === "Accepted")).toMatchObject({
      status: "False",
      reason: "NameConflict",
      message: problem.message,
    });
    expect(plan.status.conditions.find((one) => one.type === "Stalled")?.status).toBe("True");
  });

  it("does not call it stalled when it waits for a deleted bridge of the same name to be cleaned up", () => {
    const problem = { kind: "NotCleanedUp", message: "It is still being removed." } as const;
    const { plan } = decide({ ...new World(spec).snapshot(), problem });
    const conditions = Object.fromEntries(plan.status.conditions.map((one) => [one.type, one.status]));
    expect(conditions).toMatchObject({ Accepted: "True", Stalled: "False", Reconciling: "True" });
  });

  it("says what became of the PodMonitor where one is asked for, and lets it stand in nobody's way", () => {
    const world = serving();
    expect(condition(world, "PodMonitorApplied")).toBeUndefined();
    const absent = { status: "False", reason: "ApiAbsent", message: "It is not served." } as const;
    const plan = (podMonitor: Snapshot["podMonitor"]) => decide({ ...world.snapshot(), podMonitor }).plan;
    const before = plan(undefined);
    const after = plan(absent);
    expect(after.writes).toEqual(before.writes);
    expect(after.status.conditions).toEqual([
      ...before.status.conditions.filter(({ type }) => type !== "Reconciling" && type !== "Stalled"),
      expect.objectContaining({ type: "PodMonitorApplied", ...absent }),
      ...before.status.conditions.filter(({ type }) => type === "Reconciling" || type === "Stalled"),
    ]);
    // What was said holds while nothing new is known.
    world.status = after.status;
    const waiting = { status: "Unknown", reason: "Waiting", message: "" } as const;
    expect(plan(waiting).status.conditions).toEqual(after.status.conditions);
    expect(plan(undefined).status.conditions).toEqual(before.status.conditions);
  });
});
