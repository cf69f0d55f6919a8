import { describe, expect, it } from "vitest";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { whatComes } from "./set-image.ts";

const since = "2026-11-21T09:00:00Z";
const at = (phase: string, rollout: object = {}, spec: object = {}) =>
  sampleBridge({
    status: { phase, rollout: { phase, phaseSince: since, stableRevision: "7c9f21", ...rollout } },
    rollout: spec,
  });
const failed = { revision: "bad001", reason: "Alert", message: "m", time: since };

describe("whatComes", () => {
  it.each([
    ["of an image that is new", at("Stable"), "A canary starts at step tenth (10%)."],
    [
      "while a canary is on its way",
      at("Holding", { canaryRevision: "d04be8" }),
      "Canary d04be8 is withdrawn. A canary starts at step tenth (10%).",
    ],
    [
      "while a promoted version is watched",
      at("Watching", { previousRevision: "aaa" }),
      "A canary starts at step tenth (10%). Revision aaa, which is kept to return to, is given up for it.",
    ],
    [
      "while it is paused",
      at("Stable", {}, { paused: true }),
      "A canary starts at step tenth (10%). It is paused: that begins with `kubectl llmbridge resume`.",
    ],
    [
      "before anything is stable",
      at("Pending", { stableRevision: undefined }),
      "Nothing is stable yet: it becomes the first version, without steps.",
    ],
  ])("%s", (_, bridge, said) => {
    expect(whatComes(bridge, "5ea501")).toBe(said);
    expect(whatComes(bridge, undefined)).toBe(said);
  });

  it.each([
    [
      "the stable version",
      at("Holding", { canaryRevision: "d04be8" }),
      "7c9f21",
      "Canary d04be8 is withdrawn. That is the stable version, revision 7c9f21: no pod of it changes.",
    ],
    [
      "one that was stable before",
      at("Stable", { served: ["aaa"] }),
      "aaa",
      "That is revision aaa, which was stable before (rollbackWindow 3): it gets all of the traffic as soon as its pods are ready, without steps.",
    ],
    [
      "one that is kept to return to",
      at("Watching", { previousRevision: "aaa" }),
      "aaa",
      "That is revision aaa, which served before and is still ready: it takes the traffic back.",
    ],
    [
      "one that was rolled back",
      at("Aborted", { failed }),
      "bad001",
      "That is revision bad001, which was rolled back (Alert); it is not tried again before `kubectl llmbridge retry`.",
    ],
  ])("knows %s", (_, bridge, revision, said) => {
    expect(whatComes(bridge, revision)).toBe(said);
  });
});
