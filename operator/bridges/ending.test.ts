import { describe, expect, it } from "vitest";
import { endingOf, readEnding, retirement } from "./ending.ts";
import { ANNOTATIONS } from "./names.ts";
import { steppedSpec } from "./testing/stepped-spec.ts";
import { World } from "./testing/world.ts";

const time = "2026-11-21T09:00:00Z";
const decision = (action: string, reason: string, message: string) => ({
  ...{ time, action, reason, message, refused: [] },
});

describe("endingOf", () => {
  const decisions = [
    decision("Finish", "RolledBack", "Revision bad has left; revision 7c9f21 serves."),
    decision("Rollback", "Alert", "Revision bad is rolled back: alert busy asks for it."),
    decision(
      "Withdraw",
      "Superseded",
      "Revision dead01 is withdrawn: the spec asks for revision bad instead.",
    ),
    decision("Promote", "StepPassed", "Revision aaa is promoted: step all is passed."),
  ];
  const state = { stableRevision: "7c9f21", served: ["aaa", "0dd"] };

  it.each([
    ["bad", "RolledBack", "Revision bad is rolled back: alert busy asks for it."],
    ["dead01", "Withdrawn", "Revision dead01 is withdrawn: the spec asks for revision bad instead."],
    ["aaa", "WasStable", "Revision 7c9f21 took its place."],
    ["0dd", "WasStable", "Revision 7c9f21 took its place."],
  ])("of %s is %s", (revision, outcome, because) => {
    expect(endingOf(revision, state, decisions)).toEqual({ outcome, because });
  });

  it("is the failure that the state marks, whatever was decided before", () => {
    const failed = { revision: "aaa", reason: "Alert", message: "alert busy asks for it", time };
    expect(endingOf("aaa", { ...state, failed }, decisions)).toEqual({
      outcome: "RolledBack",
      because: "Alert: alert busy asks for it",
    });
  });

  it("is not known where nothing tells of it, and may be as long as an annotation should be", () => {
    expect(endingOf("beef", state, decisions)).toBeUndefined();
    expect(endingOf("beef", undefined, [])).toBeUndefined();
    const failed = { revision: "aaa", reason: "Alert", message: "x".repeat(800), time };
    expect(endingOf("aaa", { failed }, [])?.because).toHaveLength(700);
  });
});

it("what is noted can be read, and what a newer version notes is passed over", () => {
  const ending = { outcome: "RolledBack", because: "Alert: m" } as const;
  expect(readEnding(retirement({ retiredAt: time, ending }))).toEqual(ending);
  const silent = { outcome: "WasStable", because: "" } as const;
  expect(readEnding(retirement({ retiredAt: time, ending: silent }))).toEqual(silent);
  expect(retirement({ retiredAt: time, ending: undefined })).toEqual({ [ANNOTATIONS.retiredAt]: time });
  expect(retirement({ retiredAt: undefined, ending })).toEqual({});
  expect(readEnding({ [ANNOTATIONS.outcome]: "Evaporated" })).toBeUndefined();
  expect(readEnding()).toBeUndefined();
});

const spec = steppedSpec(
  { name: "quarter", weight: 25 },
  { progressDeadline: "2m", watchAfter: "0s", revisionHistoryLimit: 20 },
);

describe("the Deployment of a revision that ends", () => {
  const change = (world: World, image: string, until: string) => {
    world.edit((before) => ({ ...before, image }));
    for (let i = 0; i < 60 && (i === 0 || world.status.phase !== until); i++) world.run("10s");
    expect(world.status.phase).toBe(until);
  };
  const annotationsOf = (world: World, image: string) =>
    [...world.deployments.values()].find(
      ({ metadata }) => metadata.annotations?.[ANNOTATIONS.image] === image,
    )?.metadata.annotations;

  it("tells why, in the write that retires it, long after status has forgotten", () => {
    const world = new World(spec);
    world.behaviours["bridge:bad"] = { errorShare: 0.5 };
    world.run("30s");
    change(world, "bridge:bad", "Aborted");
    for (const image of ["bridge:2", "bridge:3", "bridge:4"]) change(world, image, "Stable");
    expect(JSON.stringify(world.status.decisions)).not.toContain("rolled back");
    expect(readEnding(annotationsOf(world, "bridge:bad"))).toEqual({
      outcome: "RolledBack",
      because: expect.stringMatching(/^ErrorsProvedWorse: .*errors \+/),
    });
    const second = world.status.rollout?.served?.at(1);
    expect(readEnding(annotationsOf(world, "bridge:1"))).toEqual({
      outcome: "WasStable",
      because: `Revision ${second} took its place.`,
    });
    const retiring = world.writes.filter(
      (write) => write.kind === "Capacity" && write.retiredAt !== undefined,
    );
    expect(retiring).toHaveLength(4);
  });

  it("tells that the spec moved on before it was proved, and nothing any more once it is tried again", () => {
    const world = new World(spec);
    world.run("30s");
    world.edit((before) => ({ ...before, image: "bridge:2" }));
    world.run("15s");
    change(world, "bridge:1", "Stable");
    expect(readEnding(annotationsOf(world, "bridge:2"))).toEqual({
      outcome: "Withdrawn",
      because: expect.stringContaining("the spec is back at revision"),
    });
    change(world, "bridge:2", "Stable");
    expect(annotationsOf(world, "bridge:2")).not.toHaveProperty([ANNOTATIONS.outcome]);
    expect(annotationsOf(world, "bridge:2")).not.toHaveProperty([ANNOTATIONS.outcomeReason]);
  });

  it("keeps what it tells where somebody scales it and the operator puts that right", () => {
    const world = new World(spec);
    world.run("30s");
    change(world, "bridge:2", "Stable");
    const before = annotationsOf(world, "bridge:1");
    for (const one of world.deployments.values())
      if (one.metadata.annotations?.[ANNOTATIONS.image] === "bridge:1") one.spec.replicas = 1;
    world.run("10s");
    expect(world.writes.at(-1)).toMatchObject({ kind: "Capacity", replicas: 0 });
    expect(annotationsOf(world, "bridge:1")).toEqual(before);
  });
});

describe("status.revision", () => {
  it("is what the spec asks for, before it serves and while it does not", () => {
    const world = new World(spec);
    world.behaviours["bridge:bad"] = { errorShare: 0.5 };
    world.run("30s");
    expect(world.status.revision).toBe(world.status.stable?.revision);
    world.edit((before) => ({ ...before, image: "bridge:bad" }));
    world.run("2s");
    expect(world.status.revision).toBe(world.status.canary?.revision);
    for (let i = 0; i < 60 && world.status.phase !== "Aborted"; i++) world.run("10s");
    expect(world.status.revision).toBe(world.status.rollout?.failed?.revision);
    expect(world.status.revision).not.toBe(world.status.stable?.revision);
  });

  it("is absent while the spec is refused", () => {
    const world = new World(spec);
    world.run("30s");
    world.edit((before) => ({ ...before, budget: { cpu: "1m" } }));
    world.run("2s");
    expect(world.status.conditions.find(({ type }) => type === "Accepted")?.status).toBe("False");
    expect(world.status.revision).toBeUndefined();
  });
});
