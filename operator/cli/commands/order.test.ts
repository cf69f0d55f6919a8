import { describe, expect, it } from "vitest";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { commandFor } from "./order.ts";

const order = (command: "promote" | "abort" | "retry", status: object = {}, full = false) =>
  commandFor(sampleBridge({ status }), { command, name: "chat", full }, "id-1");

describe("commandFor", () => {
  it("binds promote to the canary and the step that status shows", () => {
    expect(order("promote")).toEqual({ action: "promote", revision: "d04be8", step: "tenth", id: "id-1" });
  });

  it("promotes fully without a step", () => {
    expect(order("promote", {}, true)).toEqual({
      action: "promote",
      revision: "d04be8",
      full: true,
      id: "id-1",
    });
  });

  it("binds promote to the revision that waits, which has no step yet", () => {
    const queued = { revision: "d04be8", since: "2026-11-21T09:00:00Z" };
    const waits = { canary: undefined, rollout: { phase: "Stable", phaseSince: queued.since, queued } };
    expect(order("promote", waits)).toEqual({ action: "promote", revision: "d04be8", id: "id-1" });
    expect(() => order("promote", waits, true)).toThrow(/nothing to promote/);
    expect(() => order("abort", waits)).toThrow(/nothing to abort/);
  });

  it("binds skip and jump to the canary and the present step", () => {
    const order = (command: "skip" | "jump", to?: string) =>
      commandFor(sampleBridge(), { command, name: "chat", full: false, to }, "id-1");
    expect(order("skip")).toEqual({ action: "skip", revision: "d04be8", step: "tenth", id: "id-1" });
    expect(order("jump", "all")).toEqual({ ...order("skip"), action: "jump", to: "all" });
  });

  it("binds restart to the stable version", () => {
    const rollout = { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z", stableRevision: "7c9f21" };
    const at = sampleBridge({ status: { rollout } });
    expect(commandFor(at, { command: "restart", name: "chat", full: false }, "id-1")).toEqual({
      ...{ action: "restart", revision: "7c9f21", id: "id-1" },
    });
    expect(() =>
      commandFor(sampleBridge(), { command: "restart", name: "chat", full: false }, "id-1"),
    ).toThrow("nothing to restart");
  });

  it("binds abort to the canary", () => {
    expect(order("abort")).toEqual({ action: "abort", revision: "d04be8", id: "id-1" });
  });

  it.each(["promote", "abort"] as const)(
    "binds %s to the promoted version while it is watched",
    (command) => {
      const since = "2026-11-21T09:00:00Z";
      const rollout = {
        ...{ phase: "Watching", phaseSince: since },
        stableRevision: "d04be8",
        previousRevision: "7c9f21",
      };
      const status = { phase: "Watching", canary: undefined, step: undefined, rollout };
      expect(order(command, status)).toEqual({ action: command, revision: "d04be8", id: "id-1" });
      if (command === "promote") expect(order(command, status, true)).toMatchObject({ full: true });
    },
  );

  it("binds retry to the version that failed", () => {
    const failed = { revision: "d04be8", reason: "r", message: "m", time: "2026-11-21T09:00:00Z" };
    const rollout = { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z", failed };
    expect(order("retry", { rollout })).toEqual({ action: "retry", revision: "d04be8", id: "id-1" });
  });

  it("says how to promote a version that was rolled back, and how fully", () => {
    const failed = { revision: "d04be8", reason: "Alert", message: "m", time: "2026-11-21T09:00:00Z" };
    const rollout = { phase: "Aborted", phaseSince: "2026-11-21T09:00:00Z", failed };
    const at = { phase: "Aborted", canary: undefined, step: undefined, rollout };
    const sentence =
      "chat has no canary: revision d04be8 was rolled back (Alert). `kubectl llmbridge retry chat` starts it again from the first step";
    expect(() => order("promote", at)).toThrow(`${sentence}.`);
    expect(() => order("promote", at, true)).toThrow(
      `${sentence}, then \`kubectl llmbridge promote chat --full\` gives it all of the traffic.`,
    );
    expect(() => order("abort", at)).toThrow("chat has no canary; there is nothing to abort.");
  });

  it.each(["promote", "abort", "retry"] as const)(
    "refuses %s where there is nothing to do it to",
    (command) => {
      expect(() => order(command, { canary: undefined, rollout: undefined })).toThrow(/nothing to/);
    },
  );
});
