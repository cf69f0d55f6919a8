import { expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import type { DesiredObject } from "../kube/object.ts";
import { decideOrLeave } from "./decide-or-leave.ts";
import { TEMPLATE_KEY } from "./desired/configmaps.ts";
import { report, writeDueInMs } from "./report.ts";
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

it("an object that is left as it is, is written to once, and keeps what its other conditions say", async () => {
  const present = world();
  const before = present.snapshot();
  const fail = () => {
    throw new TypeError("cannot read replicas of undefined");
  };
  const { plan } = decideOrLeave(before, fail);
  const types = before.status.conditions.map(({ type }) => type);
  expect(plan.status.conditions.map(({ type }) => type)).toEqual(types);
  const written: DesiredObject[] = [];
  const client = {
    applyStatus: async (_: unknown, object: DesiredObject) => void written.push(object),
  } as Partial<KubeClient> as KubeClient;
  await report(client, { ...before.bridge, resourceVersion: "1" }, plan);
  const told = plan.status.conditions.filter(({ type }) => type === "Progressing" || type === "Stalled");
  expect(written).toMatchObject([{ status: { conditions: told } }]);

  const { plan: next } = decideOrLeave(
    { ...before, status: plan.status, nowMs: before.nowMs + 600_000 },
    fail,
  );
  expect(writeDueInMs(plan.status, next.status, before.nowMs, before.nowMs + 600_000)).toBeUndefined();
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
