import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { failing } from "../../prometheus/source.ts";
import { type Counted, wakeAfter } from "./wake.ts";

const NOW = 1_767_225_600_000;
const ANSWERS = { kind: "ok", value: [] } as const;
const AWAY = { ...failing("SourceFailing", "The source is down."), isAway: true };
const served = { phase: "Holding", servedSince: "2026-01-01T00:00:00Z" } as const;
const restarting = { ...served, restart: { before: "2026-01-01T00:00:00Z", left: 1 } as never };
/** Counted up to so many seconds ago. */
const counted = (seconds: number, intervalMs = 15_000): Counted => {
  const known = { intervalEndMs: NOW - seconds * 1_000 };
  return { canary: known, promoted: known, intervalMs };
};
const NOTHING: Counted = { canary: undefined, promoted: undefined, intervalMs: 15_000 };

const wake = (
  state: Partial<RolloutStatus> | undefined,
  more: {
    fleet?: typeof ANSWERS | typeof AWAY;
    counted?: Counted;
    wakeAtMs?: number;
    configMaps?: object;
  } = {},
) =>
  wakeAfter(
    { nowMs: NOW, fleet: more.fleet ?? ANSWERS, configMaps: (more.configMaps ?? {}) as never, secrets: {} },
    { state: state as RolloutStatus, wakeAtMs: more.wakeAtMs },
    more.counted ?? NOTHING,
  );

describe("how long until a bridge is looked at again", () => {
  it.each([
    ["at rest", wake({ phase: "Stable" }), 10_000],
    ["after a rollback", wake({ phase: "Aborted" }), 10_000],
    ["at rest without a source", wake({ phase: "Stable" }, { fleet: AWAY }), 3_600_000],
    [
      "waiting for other bridges without a source",
      wake({ phase: "Stable", queued: { since: "2026-01-01T00:00:00Z" } as never }, { fleet: AWAY }),
      10_000,
    ],
    ["while pods are made", wake({ phase: "Preparing" }, { counted: counted(1) }), 2_000],
    ["while traffic moves", wake({ phase: "Stepping" }, { counted: counted(1) }), 2_000],
    ["until it serves", wake({ phase: "Holding" }, { counted: counted(1) }), 2_000],
    ["until anything is counted", wake(served), 2_000],
    ["between two intervals", wake(served, { counted: counted(2) }), 5_000],
    ["shortly before an interval can be read", wake(served, { counted: counted(13) }), 3_000],
    ["when it can be read", wake(served, { counted: counted(16) }), 2_000],
    ["when a source is late", wake(served, { counted: counted(40) }), 2_000],
    ["with short intervals", wake(served, { counted: counted(1, 2_000) }), 2_000],
    ["after a promotion", wake({ phase: "Watching" }, { counted: counted(2) }), 5_000],
    ["a held one without a source", wake(served, { fleet: AWAY }), 10_000],
    ["a promoted one without a source", wake({ phase: "Watching" }, { fleet: AWAY }), 10_000],
    ["one that does not serve yet without a source", wake({ phase: "Holding" }, { fleet: AWAY }), 2_000],
    ["pods on their way without a source", wake({ phase: "Preparing" }, { fleet: AWAY }), 2_000],
    ["pods that are replaced while it is held", wake(restarting, { counted: counted(2) }), 2_000],
    ["pods that are replaced without a source", wake(restarting, { fleet: AWAY }), 2_000],
    ["before anything is known", wake(undefined), 2_000],
  ])("%s", (_, ms, expected) => {
    expect(ms).toBe(expected);
  });

  it("is no longer than until the rollout goes on by itself, and never at once", () => {
    expect(wake(served, { counted: counted(2), wakeAtMs: NOW + 700 })).toBe(700);
    expect(wake({ phase: "Stable" }, { fleet: AWAY, wakeAtMs: NOW + 60_000 })).toBe(60_000);
    expect(wake(served, { wakeAtMs: NOW - 1 })).toBe(50);
  });

  it("is soon where something could not be read that comes as no change", () => {
    const configMaps = { extra: { kind: "Unknown", message: "No answer." } };
    expect(wake({ phase: "Stable" }, { fleet: AWAY, configMaps })).toBe(10_000);
  });
});
