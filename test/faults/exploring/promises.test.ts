import { describe, expect, it } from "vitest";
import { COMMAND_ANNOTATION } from "../../../operator/api/v1alpha1/commands.ts";
import type { KubeObject } from "../../../operator/kube/object.ts";
import type { Change } from "./history.ts";
import { brokenIn } from "./promises.ts";

let versions = 0;
const change = (resource: string, name: string, more: object, metadata: object = {}): Change => {
  const resourceVersion = String(++versions);
  return {
    resource,
    isGone: false,
    object: { ...more, metadata: { name, uid: name, resourceVersion, ...metadata } } as KubeObject,
  };
};
const labels = (revision: string) => ({ "llmbridge.dev/bridge": "told", "llmbridge.dev/revision": revision });
const version = (revision: string) => ({ revision, image: "i", replicas: 2, ready: 2, desiredWeight: 0 });

interface BridgeOptions {
  readonly stable?: string;
  readonly failed?: string;
  readonly command?: object;
  readonly spec?: object;
  readonly canaryWeight?: number;
  readonly managedFields?: readonly object[];
}
function bridge(options: BridgeOptions = {}): Change {
  const { stable = "a", failed, command, spec = {}, canaryWeight, managedFields = [] } = options;
  const annotations = command ? { [COMMAND_ANNOTATION]: JSON.stringify({ id: "1", ...command }) } : {};
  const status = {
    stable: version(stable),
    ...(canaryWeight === undefined ? {} : { canary: { ...version("b"), desiredWeight: canaryWeight } }),
    ...(failed === undefined
      ? {}
      : {
          rollout: {
            phase: "Aborted",
            phaseSince: "2026-01-01T00:00:00Z",
            failed: { revision: failed, reason: "Command", message: "", time: "2026-01-01T00:00:00Z" },
          },
        }),
  };
  const steps = [
    { name: "half", weight: 50 },
    { name: "all", weight: 100 },
  ];
  const all = { replicas: 2, rollout: { steps }, ...spec };
  return change("llmbridges", "told", { spec: all, status }, { annotations, managedFields });
}
const service = (name: string, revision?: string) =>
  change("services", name, {
    spec: { selector: revision ? labels(revision) : { "llmbridge.dev/bridge": "told" } },
  });
const deployment = (revision: string, replicas: number, managedFields: readonly object[] = []) =>
  change(
    "deployments",
    `told-${revision}`,
    { spec: { replicas } },
    { labels: labels(revision), managedFields },
  );
const pod = (name: string, revision: string, { ready = true, metadata = {} } = {}) =>
  change(
    "pods",
    name,
    { status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] } },
    { labels: labels(revision), ...metadata },
  );
const gone = (one: Change): Change => ({ ...one, isGone: true });
const runtime = (revision: string, settings: object) =>
  change("configmaps", `told-${revision}-runtime`, { data: { "runtime.json": JSON.stringify(settings) } });
const route = (production: number, canary: number) =>
  change("httproutes", "told", {
    spec: {
      rules: [
        {
          backendRefs: [
            { name: "told-production", weight: production },
            { name: "told-canary", weight: canary },
          ],
        },
      ],
    },
  });

/** Two versions with two pods each, of which clients are led to the first. */
const serving = (): Change[] => [
  bridge(),
  deployment("a", 2),
  deployment("b", 2),
  ...["a1", "a2"].map((name) => pod(name, "a")),
  ...["b1", "b2"].map((name) => pod(name, "b")),
  service("told", "a"),
  service("told-canary", "b"),
];
const isFine = (...changes: readonly Change[]) => expect(brokenIn([...serving(), ...changes])).toEqual([]);
const isBroken = (words: string, ...changes: readonly Change[]) =>
  expect(brokenIn([...serving(), ...changes])).toEqual(
    expect.arrayContaining([expect.stringContaining(words)]),
  );

describe("capacity", () => {
  it("may be moved to a version that has as much, and the old one leave then", () =>
    isFine(
      bridge({ command: { action: "promote", revision: "b" } }),
      service("told", "b"),
      deployment("a", 0),
    ));
  it("may not be moved to a version that has less", () =>
    isBroken("fewer than 2", gone(pod("b2", "b")), service("told", "b")));
  it("may not be scaled down under clients, though its pods still run", () =>
    isBroken("were 2 ready pods and are 1", deployment("a", 1)));
  it("may be lost by what fails by itself", () => isFine(pod("a1", "a", { ready: false })));
  it("may not be lost by pods that are told to end", () =>
    isBroken("fewer than 2", pod("a1", "a", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })));
  it("is not missed where the spec asks for less by now", () =>
    isFine(bridge({ spec: { replicas: 1 } }), deployment("a", 1)));
  it("of any Service with traffic that had some may not come to nothing", () =>
    isBroken("behind told-canary", route(100, 0), route(50, 50), deployment("b", 0)));
});

describe("shares and weights", () => {
  it("by pods may be those of the first step", () => isFine(service("told")));
  it("by pods may not be more without an order", () =>
    isBroken("gets 2 of 3 pods", gone(pod("a2", "a")), service("told")));
  it("by pods may be more with an order", () =>
    isFine(bridge({ command: { action: "promote", revision: "b" } }), service("told", "b")));
  it("by a route need as many ready pods", () => {
    isFine(route(100, 0), route(50, 50));
    isBroken("1 of 2 pods", route(100, 0), gone(pod("b2", "b")), route(0, 100));
  });
  it("may not be raised for what was withdrawn", () => {
    const aborted = bridge({ failed: "b", command: { action: "abort", revision: "b" } });
    isFine(service("told"), aborted, service("told", "a"));
    isBroken("gets traffic again", aborted, service("told"));
  });
  it("are not above the step's without an order", () =>
    isBroken("should get 70 %, above 50 %", bridge({ canaryWeight: 70 })));
});

describe("orders, owners and bounds", () => {
  it("nothing is promoted or withdrawn but by an order for that version", () => {
    isBroken("promoted by nobody", bridge({ stable: "b" }));
    isBroken("withdrawn by nobody", bridge({ failed: "b", command: { action: "abort", revision: "x" } }));
    isFine(bridge({ stable: "b", command: { action: "promote", revision: "b" } }));
  });
  it("the spec is not the operator's", () => {
    const owns = (manager: string, ...path: readonly string[]) => ({
      manager,
      fieldsV1: path.reduceRight<object>((inner, key) => ({ [key]: inner }), {}),
    });
    isBroken(
      "part of the spec",
      bridge({ managedFields: [owns("llmbridge-operator", "f:spec", "f:image")] }),
    );
    isFine(
      bridge({ managedFields: [owns("kubectl", "f:spec"), owns("llmbridge-operator-status", "f:status")] }),
    );
  });
  it("connections fit into the backend, over all versions", () => {
    const spec = { pools: { postgres: { backendConnections: 20 } } };
    isFine(
      bridge({ spec }),
      runtime("a", { postgresConnections: 5 }),
      runtime("b", { postgresConnections: 5 }),
    );
    isBroken("hold 22 connections of 20", bridge({ spec }), runtime("a", { postgresConnections: 11 }));
  });
  it("worker threads stay below their ceiling", () =>
    isBroken("above 2", bridge({ spec: { workers: { max: 2 } } }), runtime("a", { workers: 3 })));
});
