import { expect, it } from "vitest";
import { World } from "../testing/world.ts";
import { revisionFacts } from "./facts.ts";

it.each([
  [true, "ConfigError", 30_000, "the container cannot be made from its configuration: it is not there"],
  [false, "NotCreated", Number.POSITIVE_INFINITY, "the container is not created yet: it is not there"],
])(
  "takes from kubelet what is missing as a fault: %s, and what is waited for as none",
  (isMissing, ...fault) => {
    const world = new World({
      image: "bridge:1",
      upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
    });
    world.behaviours = { "bridge:1": { neverReady: true } };
    world.run("4s");
    const snapshot = world.snapshot();
    const [pod] = snapshot.pods;
    if (!pod) throw new Error("there is no pod");
    const kubelet = { [pod.name]: { message: "it is not there", isMissing, atMs: world.nowMs } };
    const [reason, afterMs, message] = fault;
    expect(revisionFacts({ ...snapshot, kubelet })[pod.revision]?.faults).toEqual([
      { reason, pod: pod.name, message, decisiveAtMs: pod.createdMs + afterMs },
    ]);
  },
);
