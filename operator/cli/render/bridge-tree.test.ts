import { describe, expect, it } from "vitest";
import { bridgeView } from "../bridge-view.ts";
import { familyOf } from "../family.ts";
import { sampleFamily, storedDeployment, storedPod } from "../testing/family.ts";
import { freshBridge, SAMPLE_NOW_MS, SAMPLE_STORED, sampleBridge } from "../testing/sample-bridge.ts";
import { bridgeTree } from "./bridge-tree.ts";
import { colours } from "./colour.ts";
import { visibleLength } from "./wrap.ts";

const pipe = { nowMs: SAMPLE_NOW_MS, colour: colours(false), columns: Number.POSITIVE_INFINITY };

describe("bridgeTree", () => {
  it("shows a canary down to its pods, with its evidence, steps and budgets", () => {
    expect(bridgeTree(sampleFamily(), pipe)).toBe(
      `${[
        "chat  ai   Holding   Ready ✓   Accepted ✓   MetricsAvailable ✓",
        "Holding: step tenth (10%) until 2026-11-23T09:00Z.",
        "├─ stable  7c9f21   image 1.4.0   10/10 ready   wanted 90%   served 90.3% of requests   83.3% of pods",
        "│  └─ Deployment chat-7c9f21   2/2 ready   31d",
        "│     ├─ Pod chat-7c9f21-aaaaa   Ready   0 restarts   60m   node-a",
        "│     └─ Pod chat-7c9f21-bbbbb   Ready   0 restarts   60m   node-a",
        "├─ canary  d04be8   image 1.5.0   2/2 ready   wanted 10%   served 9.7% of requests   16.7% of pods",
        "│  ├─ Deployment chat-d04be8   1/2 ready   60m",
        "│  │  ├─ Pod chat-d04be8-ccccc   Ready              0 restarts   60m   node-a",
        "│  │  └─ Pod chat-d04be8-ddddd   CrashLoopBackOff   3 restarts   60m   node-a   last ended by OOMKilled (137); back-off 40s restarting",
        "│  └─ evidence",
        "│     ├─ errors  +0.02pp  [-0.09, +0.21]  n=288,412  ProvedBelow  Worse by less than 0.5% is proved.",
        "│     └─ gc      1.8%  Passed  Below 5%.",
        "├─ steps   ● tenth 10% ▓░░░░░░░░░ 6h48m of 48h   ○ half 50% hold 1h (needs approval)   ○ all 100%",
        "├─ scale   10 pods: demand 6.6 of 7.0 streams a pod.",
        "├─ workers 2 of at most 2 in each pod: one for each CPU",
        "├─ node    heap 298 MiB   --max-old-space-size=250 --max-semi-space-size=16",
        "├─ backend postgres 152 of 180 connections planned",
        "├─ alert   workers-busy Firing: 93% is above 90%. Raise workers.max.",
        "└─ last    14:02:00 ScaleUp: Replicas 9 to 10. (refused: one more worker thread: CPU throttled 12%)",
      ].join("\n")}\n`,
    );
  });

  it.each([80, 120])("fits %i columns", (columns) => {
    const text = bridgeTree(sampleFamily(), { ...pipe, colour: colours(true), columns });
    expect(text.split("\n").filter((line) => visibleLength(line) > columns)).toEqual([]);
    expect(text).toContain("OOMKilled");
  });

  it("says when a verdict is possible at the earliest", () => {
    const status = {
      forecast: { promoteAfter: "1h", message: "m" },
      verdicts: [{ signal: "errors", category: "Undecided", message: "m" }],
      rollout: {
        ...{ phase: "Holding", phaseSince: "2026-11-21T15:00:00Z", evidenceSince: "2026-11-21T15:00:00Z" },
      },
    };
    expect(bridgeTree(sampleFamily({ status }), pipe)).toContain(
      "└─ earliest: a good version is proved within about 1h of evidence, going by the traffic before the rollout: at 16:00:00, in 12m",
    );
    expect(bridgeTree(sampleFamily({ status }), { ...pipe, nowMs: SAMPLE_NOW_MS + 3_600_000 })).toContain(
      "before the rollout; this one takes longer",
    );
  });

  it("counts pods where lines are scarce, those in trouble last to go", () => {
    const text = bridgeTree(sampleFamily(), { ...pipe, mostPods: 1 });
    expect(text).toContain("Pod chat-d04be8-ddddd   CrashLoopBackOff");
    expect(text).not.toContain("chat-d04be8-ccccc");
    expect(text.match(/and 1 more/g)).toHaveLength(2);
  });

  it("shows pods of older revisions until they have ended, and nothing of another bridge's", () => {
    const going = { deletionTimestamp: "2026-11-21T15:47:00Z" };
    const family = familyOf(
      sampleBridge(),
      [
        storedDeployment("0a0a0a", "i:1.3.0", 0),
        storedDeployment("0b0b0b", "i:1.2.0", 0),
        storedDeployment("0c0c0c", "i:1.1.0", 5, { owner: "another" }),
      ],
      [storedPod("chat-0a0a0a-x", "0a0a0a", {}, going)],
      [],
    );
    const text = bridgeTree(family, pipe);
    expect(text).toMatch(
      /├─ older {3}0a0a0a {3}image 1\.3\.0\n│ {2}└─ Deployment .*\n│ {5}└─ Pod chat-0a0a0a-x {3}Ending/,
    );
    expect(text).not.toMatch(/0b0b0b|0c0c0c/);
  });

  it("ends with what is wrong, in full, and with what may not be read", () => {
    const conditions = [
      {
        ...{ type: "Accepted", status: "False", reason: "NoSuchSource", message: "No source default." },
        lastTransitionTime: "2026-11-21T09:00:00Z",
      },
    ];
    const family = { ...sampleFamily({ status: { conditions } }), trouble: ["you may not do this: pods"] };
    const text = bridgeTree(family, pipe);
    expect(text).toContain("Accepted ✗ NoSuchSource\n");
    expect(text.trimEnd().split("\n").slice(-2)).toEqual([
      "Accepted=False  NoSuchSource: No source default.",
      "not shown: you may not do this: pods",
    ]);
  });

  it("shows a bridge without status, and says what to look for", () => {
    expect(bridgeTree(familyOf(freshBridge(), [], [], []), pipe)).toBe(
      `${[
        "chat  ai   not seen yet",
        "The operator has not looked at this bridge yet; is it running?",
        "└─ steps   ○ tenth 10% hold 48h   ○ half 50% hold 1h (needs approval)   ○ all 100%",
      ].join("\n")}\n`,
    );
  });

  it("shows what it can read of a newer operator's status, and says so", () => {
    const stored = { ...SAMPLE_STORED, status: { phase: "Baking", stable: "7c9f21" } };
    const text = bridgeTree(familyOf(bridgeView(stored as never), [], [], []), pipe);
    expect(text).toContain("chat  ai   Baking\n");
    expect(text).toMatch(/This plugin \(.*\) cannot read all of status\.phase, status\.stable;/);
  });

  it("shows the pods that the canary is compared with", () => {
    const baseline = {
      ...{ revision: "7c9f21-baseline", image: "registry.example/bridge:1.4.0", replicas: 2, ready: 1 },
      ...{ desiredWeight: 10, requestShare: "9.8%", podShare: "16.7%" },
    };
    const text = bridgeTree(sampleFamily({ status: { baseline } }), pipe);
    expect(text).toMatch(
      /├─ stable {2}7c9f21 .*\n(│.*\n)*├─ baseline {2}7c9f21-baseline {3}image 1\.4\.0 {3}1\/2 ready {3}wanted 10% {3}served 9\.8% of requests .*\n├─ canary/,
    );
    expect(text).toContain("└─ evidence beside the baseline\n");
  });

  it("shows a promoted version that is watched, and the one that it may be left for", () => {
    const of = (revision: string, image: string, desiredWeight: number) => ({
      ...{ revision, image: `registry.example/bridge:${image}`, replicas: 2, ready: 2, desiredWeight },
    });
    const verdicts = [{ signal: "errors", category: "Watching", message: "No alarm." }];
    const text = bridgeTree(
      sampleFamily({
        status: {
          ...{ phase: "Watching", canary: undefined, step: undefined, verdicts },
          ...{ stable: of("d04be8", "1.5.0", 100), previous: of("7c9f21", "1.4.0", 0) },
        },
      }),
      pipe,
    );
    expect(text).toMatch(
      /├─ stable {2}d04be8 .*\n(│.*\n)*│ {2}└─ evidence\n│ {5}└─ errors {2}Watching {2}No alarm\./,
    );
    expect(text).toMatch(/├─ before {2}7c9f21 {3}image 1\.4\.0 {3}2\/2 ready {3}wanted 0%/);
    expect(text).not.toContain("older");
  });

  it("says that it is paused", () => {
    expect(bridgeTree(sampleFamily({ rollout: { paused: true } }), pipe)).toContain("Holding (paused)");
  });

  it("colours only when asked", () => {
    const text = bridgeTree(sampleFamily(), { ...pipe, colour: colours(true) });
    expect(text).toContain("\u001b[32mReady ✓\u001b[39m");
    expect(bridgeTree(sampleFamily(), pipe)).not.toContain("\u001b");
  });
});
