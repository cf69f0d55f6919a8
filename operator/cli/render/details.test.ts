import { describe, expect, it } from "vitest";
import { SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { colours } from "./colour.ts";
import { detailsText } from "./details.ts";

const plain = colours(false);

describe("detailsText", () => {
  it("shows a canary with its evidence, steps and budgets", () => {
    expect(detailsText(sampleBridge(), SAMPLE_NOW_MS, plain)).toBe(
      [
        "chat  ai  Holding: step tenth (10%) until 2026-11-23T09:00Z.  Ready ✓  Accepted ✓  MetricsAvailable ✓",
        "├─ stable  7c9f21   image 1.4.0   10/10 ready   wanted 90%   served 90.3% of requests   83.3% of pods",
        "├─ canary  d04be8   image 1.5.0   2/2 ready   wanted 10%   served 9.7% of requests   16.7% of pods",
        "│  ├─ errors      +0.02pp  [-0.09, +0.21]  n=288,412  ProvedBelow  Worse by less than 0.5% is proved.",
        "│  └─ gc          1.8%  Passed  Below 5%.",
        "├─ steps   ● tenth 10% ▓░░░░░░░░░ 6h48m of 48h   ○ half 50% (needs approval)   ○ all 100%",
        "├─ scale   10 pods: demand 6.6 of 7.0 streams a pod.",
        "├─ workers 2 of at most 2 in each pod: one for each CPU",
        "├─ node    heap 298 MiB   --max-old-space-size=250 --max-semi-space-size=16",
        "├─ backend postgres 152 of 180 connections planned",
        "├─ alert   workers-busy Firing: 93% is above 90%. Raise workers.max.",
        "└─ last    14:02:00 ScaleUp: Replicas 9 to 10. (refused: one more worker thread: CPU throttled 12%)",
        "",
      ].join("\n"),
    );
  });

  it("ends with what is wrong, in full", () => {
    const conditions = [
      {
        ...{ type: "Accepted", status: "False", reason: "NoSuchSource", message: "No source default." },
        lastTransitionTime: "2026-11-21T09:00:00Z",
      },
    ];
    const text = detailsText(sampleBridge({ status: { conditions } }), SAMPLE_NOW_MS, plain);
    expect(text).toContain("Accepted ✗ NoSuchSource\n");
    expect(text.trimEnd().split("\n").at(-1)).toBe("Accepted=False  NoSuchSource: No source default.");
  });

  it("shows a bridge without status", () => {
    const { status: _, ...fresh } = sampleBridge();
    expect(detailsText(fresh, SAMPLE_NOW_MS, plain)).toBe(
      "chat  ai  The operator has not looked at this bridge yet.\n",
    );
  });

  it("colours only when asked", () => {
    expect(detailsText(sampleBridge(), SAMPLE_NOW_MS, colours(true))).toContain(
      "\u001b[32mReady ✓\u001b[39m",
    );
    expect(detailsText(sampleBridge(), SAMPLE_NOW_MS, plain)).not.toContain("\u001b");
  });
});
