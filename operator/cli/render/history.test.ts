import { describe, expect, it } from "vitest";
import { SAMPLE_NOW_MS } from "../testing/sample-bridge.ts";
import { colours } from "./colour.ts";
import { historyText } from "./history.ts";

const view = { nowMs: SAMPLE_NOW_MS, colour: colours(false), columns: Number.POSITIVE_INFINITY };
const bridge = { namespace: "ai", name: "chat" };
const made = "2026-11-20T15:48:00Z";
const revisions = [
  {
    ...{ revision: "d04be8aa11", image: "r/b:1.5.0", made, renderer: "0.1.0", replicas: 2, ready: 1 },
    ...{ outcome: "Canary" as const, why: "Holding canary d04be8aa11 at step tenth (10%)." },
  },
  {
    ...{ revision: "7c9f21bb22", image: "r/b:1.4.0", made, renderer: "", replicas: 10, ready: 10 },
    ...{ outcome: "Stable" as const, why: "" },
  },
];

describe("historyText", () => {
  it("is a table", () => {
    expect(historyText({ bridge, revisions }, view)).toBe(
      `${[
        "REVISION     IMAGE   AGE   RENDERER   PODS    OUTCOME   WHY",
        "d04be8aa11   1.5.0   24h   0.1.0      1/2     canary    Holding canary d04be8aa11 at step tenth (10%).",
        "7c9f21bb22   1.4.0   24h   -          10/10   stable",
      ].join("\n")}\n`,
    );
  });

  it("breaks why where there is room, and puts it below where there is not", () => {
    expect(historyText({ bridge, revisions }, { ...view, columns: 90 })).toContain(
      "canary    Holding canary d04be8aa11 at step\n                                                        tenth (10%).\n",
    );
    expect(historyText({ bridge, revisions }, { ...view, columns: 80 })).toMatch(
      /canary\n {4}Holding canary d04be8aa11 at step tenth \(10%\)\.\n/,
    );
  });

  it("says so where there is none", () => {
    expect(historyText({ bridge, revisions: [] }, view)).toBe("chat has no revision yet.\n");
  });
});
