import { describe, expect, it } from "vitest";
import type { GateStatus, RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs, clockMs, iso, keepPause, second } from "./clock.ts";
import { T0 } from "./model/world.ts";

const at = (minutes: number): string => iso(T0 + minutes * 60_000);
const state = (more: Partial<RolloutStatus> = {}): RolloutStatus => ({
  phase: "Holding",
  phaseSince: at(0),
  stableRevision: "a",
  canaryRevision: "b",
  ...more,
});
const nowMs = T0 + 30 * 60_000;

describe("a stored time", () => {
  it("is read back, and is none where none can be read", () => {
    expect(atMs(at(1))).toBe(T0 + 60_000);
    expect(atMs(undefined)).toBeUndefined();
    expect(atMs("soon")).toBeUndefined();
  });

  it("is told in whole seconds, rounded up", () => {
    expect(second(T0)).toBe("2026-01-01T00:00:00Z");
    expect(second(T0 + 1)).toBe("2026-01-01T00:00:01Z");
  });
});

describe("keepPause", () => {
  it("notes when a pause begins, once", () => {
    const paused = keepPause(state(), true, nowMs);
    expect(paused.pausedSince).toBe(at(30));
    expect(keepPause(paused, true, nowMs + 1)).toBe(paused);
    expect(clockMs(paused, nowMs + 1)).toBe(nowMs);
  });

  it("moves every clock on at its end, by the time it stood still", () => {
    const waits = { waitingSince: at(3), stableWaitingSince: at(4) };
    const clocks = { servedSince: at(1), holdingSince: at(2), ...waits, noDataSince: at(25) };
    const moved = keepPause(state({ ...clocks, evidenceSince: at(1), pausedSince: at(20) }), false, nowMs);
    expect(moved).toMatchObject({
      servedSince: at(11),
      holdingSince: at(12),
      waitingSince: at(13),
      stableWaitingSince: at(14),
      // It began during the pause.
      noDataSince: at(30),
      evidenceSince: at(1),
    });
    expect(moved.pausedSince).toBeUndefined();
    expect(clockMs(moved, nowMs)).toBe(nowMs);
  });

  it("leaves clocks that do not run, and those of a rollout that was not paused", () => {
    expect(keepPause(state({ pausedSince: at(20) }), false, nowMs)).not.toHaveProperty("servedSince");
    const running = state({ servedSince: at(1) });
    expect(keepPause(running, false, nowMs)).toBe(running);
  });

  it("moves the deadlines of gates that were asked, not when they were", () => {
    const gate = (name: string, more: Partial<GateStatus>): GateStatus => ({
      name,
      kind: "Webhook",
      digest: "0",
      since: at(10),
      until: at(40),
      state: "Asked",
      ...more,
    });
    const gates = [
      gate("asked", {}),
      gate("paused before", { clock: at(15) }),
      gate("asked in the pause", { since: at(24) }),
      gate("passed", { state: "Passed" }),
      gate("of no time", { since: "soon" }),
    ];
    const moved = keepPause(state({ gates, pausedSince: at(20) }), false, nowMs).gates;
    expect(moved?.map(({ since, clock }) => [since, clock])).toEqual([
      [at(10), at(20)],
      [at(10), at(25)],
      [at(24), at(30)],
      [at(10), undefined],
      ["soon", undefined],
    ]);
  });

  it.each(["Stable", "Promoting", "Watching", "Draining", "Aborting", "Aborted", "Pending"] as const)(
    "is nothing to phase %s, in which no canary goes forward",
    (phase) => {
      const resting = state({ phase, waitingSince: at(1) });
      expect(keepPause(resting, true, nowMs)).toBe(resting);
      expect(keepPause({ ...resting, pausedSince: at(20) }, true, nowMs)).toEqual({
        ...resting,
        pausedSince: undefined,
      });
    },
  );
});
