import { describe, expect, it } from "vitest";
import {
  BRIDGE,
  begunThings,
  OLD_DEPLOYMENT,
  OLD_SERVICE,
  oldPod,
  oldThings,
} from "../testing/old-things.ts";
import { TAKEN_OVER, type TakenObjects } from "./observed.ts";
import type { TakeOverView } from "./view.ts";
import { giveBack, takeOverWrites } from "./writes.ts";

const NAMES = { deployment: "web", services: ["web"] };
const view = (seen: TakenObjects, stage: TakeOverView["stage"] = "Serving"): TakeOverView => ({
  ...{ names: NAMES, seen, stage, objection: undefined, replicasBefore: 3 },
});

function write(
  seen: TakenObjects,
  main: readonly string[],
  replicas: number | undefined = 3,
  stage?: TakeOverView["stage"],
) {
  const services = { main, stable: main, canary: [] };
  return takeOverWrites({ bridge: BRIDGE, view: view(seen, stage), outcome: { services }, replicas });
}
const served = (selector: Record<string, string>, targetPort: string | number) => {
  const begun = begunThings();
  const services = begun.services.map((one) => ({ ...one, selector, ports: [{ port: 80, targetPort }] }));
  return { ...begun, services };
};

describe("writes to what is taken over", () => {
  it("note first what a deletion would have to undo, then label the pods as they run", () => {
    const { first, growth, traffic, last } = write(oldThings(), [TAKEN_OVER]);
    expect(
      first.map((one) => (one.kind === "Finalizer" ? one.change : `${one.resource}/${one.name}`)),
    ).toEqual([...["Add", "deployments/web", "services/web", "pods/a", "pods/b", "pods/c"]]);
    expect([growth, traffic, last]).toEqual([[], [], []]);
    expect(first[1]).toMatchObject({
      resourceVersion: "7",
      patch: {
        metadata: {
          annotations: {
            "llmbridge.dev/taken-over-by": "chat/u-1",
            "llmbridge.dev/replicas-before": "3",
          },
        },
      },
    });
    for (const one of first) expect(JSON.stringify(one)).not.toContain("template");
  });

  it("are none once it has begun and nothing changes", () => {
    const { first, growth, traffic, last } = write(begunThings(), [TAKEN_OVER]);
    expect([first, growth, traffic, last]).toEqual([[], [], [], []]);
  });

  it("label a pod that came later, and no pod that ends", () => {
    const pods = [oldPod("late"), oldPod("ends", { terminating: true }), oldPod("ended", { finished: true })];
    expect(write(begunThings({ pods }), [TAKEN_OVER]).first).toMatchObject([
      {
        resource: "pods",
        name: "late",
        patch: { metadata: { labels: { "llmbridge.dev/revision": TAKEN_OVER } } },
      },
    ]);
  });

  it("lead the old Service as the bridge's own while a canary serves, and back as it was", () => {
    expect(write(begunThings(), [TAKEN_OVER, "abc"]).traffic).toMatchObject([
      {
        patch: {
          spec: {
            selector: { app: null, "llmbridge.dev/bridge": "chat" },
            ports: [{ port: 80, targetPort: 8080 }],
          },
        },
      },
    ]);
    const led = served({ "llmbridge.dev/bridge": "chat" }, 8080);
    expect(write(led, [TAKEN_OVER, "abc"]).traffic).toEqual([]);
    expect(write(led, [TAKEN_OVER]).traffic).toMatchObject([
      {
        patch: {
          spec: {
            selector: { app: "web", "llmbridge.dev/bridge": null },
            ports: [{ port: 80, targetPort: "http" }],
          },
        },
      },
    ]);
  });

  it("make it larger before, and smaller after traffic moves", () => {
    expect(write(begunThings(), [TAKEN_OVER], 4)).toMatchObject({
      growth: [{ patch: { spec: { replicas: 4 } } }],
      last: [],
    });
    expect(write(begunThings(), ["abc"], 0)).toMatchObject({
      growth: [],
      last: [{ patch: { spec: { replicas: 0 } } }],
    });
    expect(write(begunThings(), ["abc"], undefined)).toMatchObject({ growth: [], last: [] });
  });

  it("are none to a Deployment that has handed over, whatever it is scaled to", () => {
    const { first, growth, last } = write(served({}, 8080), ["abc"], 0, "Complete");
    expect([first, growth, last]).toEqual([[], [], []]);
  });

  it("are none at all of one that is refused", () => {
    const { first, growth, traffic, last } = write(oldThings(), ["abc"], 0, "Refused");
    expect([first, growth, traffic, last]).toEqual([[], [], [], []]);
  });
});

describe("letting go", () => {
  it("leaves the Service on every pod of the bridge, and no note", () => {
    const { last } = write(served({ "llmbridge.dev/revision": "abc" }, 8080), ["abc"], 0, "Released");
    expect(last).toMatchObject([
      {
        resource: "services",
        patch: {
          metadata: { annotations: { "llmbridge.dev/service-before": null } },
          spec: { selector: { "llmbridge.dev/revision": null, "llmbridge.dev/bridge": "chat" } },
        },
      },
      { resource: "deployments" },
      { kind: "Finalizer", change: "Remove" },
    ]);
  });

  it("makes the Service that stands for the bridge's own the bridge's own", () => {
    const begun = begunThings();
    const services = begun.services.map((one) => ({ ...one, name: "chat" }));
    expect(write({ ...begun, services }, ["abc"], 0, "Released").last[0]).toMatchObject({
      patch: { metadata: { ownerReferences: [{ name: "chat", controller: true }] } },
    });
  });
});

describe("giving back", () => {
  const back = (seen: TakenObjects, forMs = 0) =>
    giveBack(BRIDGE, { names: NAMES, seen, replicasBefore: 3 }, forMs);
  const note = { bridge: "chat", uid: "u-1", replicas: 3 };
  const down = { ...OLD_DEPLOYMENT, replicas: 0, note };

  it("waits for the old pods before the Service leads to them", () => {
    const started = back({ ...served({ "llmbridge.dev/bridge": "chat" }, 8080), deployment: down, pods: [] });
    expect(started).toMatchObject([{ resource: "deployments", patch: { spec: { replicas: 3 } } }]);
    const waiting = { ...served({}, 8080), deployment: { ...down, replicas: 3 } };
    expect(back({ ...waiting, pods: [oldPod("a")] })).toEqual([]);
  });

  it("undoes all of it, and then lets the bridge go", () => {
    const led = served({ "llmbridge.dev/bridge": "chat" }, 8080);
    const writes = back(led);
    expect(
      writes.map((one) => (one.kind === "Finalizer" ? one.change : `${one.resource}/${one.name}`)),
    ).toEqual([...["services/web", "pods/a", "pods/b", "pods/c", "deployments/web", "Remove"]]);
    expect(writes[0]).toMatchObject({
      patch: { spec: { selector: { app: "web" }, ports: OLD_SERVICE.ports } },
    });
  });

  it("does not wait for ever, nor for a Deployment that is gone or was never touched", () => {
    const waiting = { ...served({}, 8080), deployment: { ...down, replicas: 3 }, pods: [] };
    expect(back(waiting, 11 * 60_000).at(-1)).toEqual({ kind: "Finalizer", change: "Remove" });
    expect(back({ ...served({}, 8080), deployment: undefined, pods: [] }).at(-1)).toEqual({
      kind: "Finalizer",
      change: "Remove",
    });
    expect(back(oldThings())).toEqual([{ kind: "Finalizer", change: "Remove" }]);
  });
});
