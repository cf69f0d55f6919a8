import { describe, expect, it } from "vitest";
import type { AnyParentRef, HttpRoute, ParentStatus } from "./http-route.ts";
import { acceptanceOf } from "./parents.ts";

const GENERATION = 3;

interface Said {
  readonly parentRef?: AnyParentRef;
  readonly accepted?: string;
  readonly resolved?: string;
  readonly generation?: number;
}

const says = ({
  parentRef = { name: "public" },
  accepted = "True",
  resolved = "True",
  generation = GENERATION,
}: Said) => {
  const condition = (type: string, status: string) => ({
    ...{ type, status, observedGeneration: generation },
    ...{ reason: status === "True" ? type : "NotAllowed", message: "It says why." },
  });
  return {
    parentRef,
    controllerName: "example.com/gateway",
    conditions: [condition("Accepted", accepted), condition("ResolvedRefs", resolved)],
  };
};

function route(parentRefs: readonly AnyParentRef[], parents: readonly ParentStatus[]): HttpRoute {
  const metadata = { name: "web", namespace: "ai", uid: "u", resourceVersion: "1", generation: GENERATION };
  return { metadata, spec: { parentRefs }, status: { parents } };
}

const PUBLIC = { name: "public" };
const INTERNAL = { name: "internal", namespace: "infra", sectionName: "https" };

describe("a route", () => {
  it.each<[string, readonly AnyParentRef[], readonly ParentStatus[], string]>([
    ["accepted by its only parent", [PUBLIC], [says({})], "Accepted"],
    ["accepted by both", [PUBLIC, INTERNAL], [says({}), says({ parentRef: INTERNAL })], "Accepted"],
    ["accepted by one, the other silent", [PUBLIC, INTERNAL], [says({})], "Waiting"],
    [
      "accepted by one, refused by the other",
      [PUBLIC, INTERNAL],
      [says({}), says({ parentRef: INTERNAL, resolved: "False" })],
      "Refused",
    ],
    [
      "refused by one before the other has said anything",
      [INTERNAL, PUBLIC],
      [says({ accepted: "False" })],
      "Refused",
    ],
    ["accepted as it was before", [PUBLIC], [says({ generation: GENERATION - 1 })], "Waiting"],
    [
      "refused as it was before",
      [PUBLIC],
      [says({ accepted: "False", generation: GENERATION - 1 })],
      "Waiting",
    ],
    ["accepted by another listener", [{ ...PUBLIC, sectionName: "http" }], [says({})], "Waiting"],
    [
      "accepted on another port",
      [{ ...PUBLIC, port: 8443 }],
      [says({ parentRef: { ...PUBLIC, port: 443 } })],
      "Waiting",
    ],
    [
      "whose parent is named in full",
      [PUBLIC],
      [
        says({
          parentRef: { ...PUBLIC, group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "ai" },
        }),
      ],
      "Accepted",
    ],
    [
      "accepted by one of two controllers of a parent",
      [PUBLIC],
      [says({}), says({ accepted: "Unknown" })],
      "Refused",
    ],
    [
      "without a word on its backends",
      [PUBLIC],
      [{ ...says({}), conditions: says({}).conditions.slice(0, 1) }],
      "Waiting",
    ],
    [
      "accepted without some of its rules",
      [PUBLIC],
      [
        {
          ...says({}),
          conditions: [
            ...says({}).conditions,
            {
              ...{ type: "PartiallyInvalid", status: "True", reason: "UnsupportedValue" },
              ...{ message: "No mirrors here.", observedGeneration: GENERATION },
            },
          ],
        },
      ],
      "Refused",
    ],
    ["without parents", [], [says({})], "Refused"],
    ["without status", [PUBLIC], [], "Waiting"],
  ])("%s", (_name, parentRefs, parents, kind) => {
    expect(acceptanceOf(route(parentRefs, parents)).kind).toBe(kind);
  });

  it("tells who refuses it and why, or who has not said anything and what to look at", () => {
    expect(acceptanceOf(route([PUBLIC], [says({ accepted: "False" })]))).toEqual({
      kind: "Refused",
      message:
        'HTTPRoute "web" is refused by Gateway public (example.com/gateway): Accepted is False, NotAllowed: It says why.',
    });
    expect(acceptanceOf(route([PUBLIC], []))).toEqual({
      kind: "Waiting",
      message:
        'HTTPRoute "web" is not accepted yet: Gateway public has not reported on it; see that it exists and that its class has a controller.',
    });
  });
});
