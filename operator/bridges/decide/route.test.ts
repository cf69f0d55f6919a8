import { describe, expect, it } from "vitest";
import { rollout as rolloutSchema } from "../../api/v1alpha1/rollout.ts";
import type { HttpRoute } from "../route/http-route.ts";
import type { Snapshot } from "../snapshot.ts";
import { lookAtRoute, routeWrites } from "./route.ts";

const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
const PARENTS = [{ name: "public" }];
const backend = (name: string, weight: number) => ({ name, port: 80, weight });
const route = {
  metadata: { name: "chat", namespace: "ai", uid: "r-1", resourceVersion: "7" },
  spec: {
    parentRefs: PARENTS,
    rules: [{ backendRefs: [backend("chat-production", 75), backend("chat-canary", 25)] }],
  },
} as unknown as HttpRoute;
const snapshot = {
  bridge,
  children: [],
  route: { kind: "Served", route, owned: route, mayMirror: false },
} as unknown as Snapshot;

/** The writes for a canary's weight of 10 of a spec with this traffic. */
function written(traffic: object, isAccepted: boolean) {
  const rollout = rolloutSchema.parse({ traffic });
  const outcome = { routeWeight: 10, routeBaseline: 0, routeMirror: 0, state: undefined };
  return routeWrites(snapshot, { rollout, isAccepted }, lookAtRoute(snapshot, rollout), outcome);
}

describe("the operator's route", () => {
  const elsewhere = { router: "Gateway", route: { parentRefs: PARENTS, hostnames: ["b.example.com"] } };

  it("follows a spec that is accepted", () => {
    expect(written({ router: "Replicas" }, true)).toMatchObject([{ kind: "Delete", resource: "httproutes" }]);
    expect(written(elsewhere, true)).toMatchObject([
      { kind: "Update", object: { spec: { hostnames: ["b.example.com"] } } },
    ]);
  });

  it("takes weights alone while the spec is refused, and stays where that has no route", () => {
    expect(written({ router: "Replicas" }, false)).toEqual([]);
    expect(written(elsewhere, false)).toMatchObject([
      {
        kind: "RouteWeights",
        changes: [
          { backend: 0, weight: 90 },
          { backend: 1, weight: 10 },
        ],
      },
    ]);
  });
});
