import { describe, expect, it } from "vitest";
import { llmBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import type { Snapshot } from "../load/load.ts";
import { stateText, trafficText } from "./timeline.ts";

const version = (revision: string, ready: number, replicas: number, desiredWeight: number) => ({
  revision,
  image: "bridge:1",
  ready,
  replicas,
  desiredWeight,
});
const status = llmBridgeStatus.parse({
  phase: "Holding",
  stable: version("aaa", 3, 3, 75),
  canary: version("bbb", 1, 1, 25),
  step: { name: "quarter", index: 0, count: 2, weight: 25 },
  workers: { current: 1, cap: 2, reason: "NothingWaiting" },
  verdicts: [{ signal: "errors", category: "Undecided", message: "m" }],
});
const counts = (finished: number) => ({ finished, ok: finished, failed: 0, cut: 0, askedToReconnect: 0 });
const snapshot = (atMs: number, stable: number, canary: number): Snapshot => ({
  atMs,
  sent: stable + canary,
  ...counts(stable + canary),
  versions: { aaa: counts(stable), bbb: counts(canary) },
});

describe("timeline", () => {
  it("says phase, weight, pods and verdicts", () => {
    expect(stateText(status)).toBe(
      "Holding quarter, weight 25% · pods 3/3 + 1/1, 1 worker · errors Undecided",
    );
  });

  it("says what was served since the line before", () => {
    const text = trafficText(status, snapshot(0, 100, 0), snapshot(2000, 250, 50));
    expect(text).toBe("100 rps, canary served 25.0%, 0 failed, 0 cut");
  });

  it("divides by nothing on the first line", () => {
    expect(trafficText(status, undefined, snapshot(0, 0, 0))).toBe("0 requests, 0 failed, 0 cut");
  });
});
