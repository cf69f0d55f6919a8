import { expect, it } from "vitest";
import { decideOrLeave } from "./decide-or-leave.ts";
import { TEMPLATE_KEY } from "./desired/configmaps.ts";
import { World } from "./testing/world.ts";

const world = () => {
  const made = new World({
    image: "bridge:1",
    upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  });
  made.run("30s");
  return made;
};

it("scenario 27, an object that the plan fails on: it is left as it is, and says so", () => {
  const snapshot = world().snapshot();
  const { plan, bug } = decideOrLeave(snapshot, () => {
    throw new TypeError("cannot read replicas of undefined");
  });
  expect(bug).toBeInstanceOf(TypeError);
  expect(plan.writes).toEqual([]);
  // Only conditions are reported, so that the rest of the stored status stays.
  expect(plan.statusScope).toBe("Conditions");
  expect(plan.status).toEqual({ ...snapshot.status, conditions: plan.status.conditions });
  expect(plan.status.conditions.find(({ type }) => type === "Stalled")).toMatchObject({
    status: "True",
    reason: "InternalError",
    message: expect.stringMatching(/cannot read replicas of undefined.*report it/),
  });
});

it("passes on a plan that could be made, and clears the condition", () => {
  const { plan, bug } = decideOrLeave(world().snapshot());
  expect(bug).toBeUndefined();
  expect(plan.status.conditions.find(({ type }) => type === "Stalled")?.status).toBe("False");
});

it("a stored Deployment that is none is rendered anew", () => {
  const present = world();
  for (const child of present.children.values()) {
    const { data } = child.object as { data?: Record<string, string> };
    if (data && TEMPLATE_KEY in data) data[TEMPLATE_KEY] = "{}";
  }
  present.deployments.clear();
  const { plan, bug } = decideOrLeave(present.snapshot());
  expect(bug).toBeUndefined();
  expect(plan.writes.map(({ kind }) => kind)).toContain("Create");
});
