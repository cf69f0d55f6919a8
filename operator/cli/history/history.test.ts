import { expect, it } from "vitest";
import { familyOf } from "../family.ts";
import { historyOutput } from "../outputs.ts";
import { storedDeployment } from "../testing/family.ts";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { historyOf } from "./history.ts";

const decision = (action: string, reason: string, message: string) => ({
  ...{ time: "2026-11-21T09:00:00Z", action, reason, message },
});

const status = {
  rollout: {
    ...{ phase: "Holding", phaseSince: "2026-11-21T09:00:00Z", stableRevision: "7c9f21" },
    canaryRevision: "d04be8",
    failed: {
      revision: "bad001",
      ...{ reason: "Alert", message: "Alert busy fired.", time: "2026-11-21T09:00:00Z" },
    },
  },
  decisions: [
    decision("Finish", "RolledBack", "Revision bad000 has left; revision 7c9f21 serves."),
    decision("Rollback", "ErrorsProvedWorse", "Revision bad000 is rolled back: errors +5pp."),
    decision("Promote", "StepPassed", "Revision 7c9f21 is promoted: step all is passed."),
    decision("Finish", "FirstReady", "The first version, revision aaa000, is Ready."),
  ],
};

it("historyOf tells what has become of each revision, newest first", () => {
  const made = [
    ["d04be8", 1],
    ["bad001", 2],
    ["bad000", 3],
    ["7c9f21", 4],
    ["aaa000", 5],
    ["0dd000", 6],
  ] as const;
  const bridge = sampleBridge({ status });
  const deployments = made.map(([revision, minutes]) =>
    storedDeployment(revision, `i:${minutes}`, minutes === 1 ? 2 : 0, { minutes }),
  );
  const history = historyOf(bridge, familyOf(bridge, [...deployments].reverse(), [], []).deployments);
  expect(() => historyOutput.parse(history)).not.toThrow();
  expect(history.revisions.map(({ revision, outcome, why }) => [revision, outcome, why])).toEqual([
    ["d04be8", "Canary", "Holding: step tenth (10%) until 2026-11-23T09:00Z."],
    ["bad001", "RolledBack", "Alert: Alert busy fired."],
    ["bad000", "RolledBack", "Revision bad000 is rolled back: errors +5pp."],
    ["7c9f21", "Stable", "Revision 7c9f21 is promoted: step all is passed."],
    ["aaa000", "WasStable", "Revision 7c9f21 took its place."],
    ["0dd000", "Retired", ""],
  ]);
  expect(history.revisions[0]).toMatchObject({ image: "i:1", renderer: "0.1.0", replicas: 2, ready: 2 });
});

it("historyOf believes the Deployment, where status has forgotten or says another thing", () => {
  const noted = (outcome: string, because: string) => ({
    annotations: {
      "llmbridge.dev/retired-at": "2026-11-21T09:00:00Z",
      "llmbridge.dev/outcome": outcome,
      "llmbridge.dev/outcome-reason": because,
    },
  });
  const bridge = sampleBridge({ status: { ...status, decisions: [] } });
  const deployments = [
    storedDeployment("bad000", "i:1", 0, noted("RolledBack", "Alert: m")),
    storedDeployment("dead01", "i:2", 0, { minutes: 61, ...noted("Withdrawn", "The spec moved on.") }),
    storedDeployment("aaa000", "i:3", 0, { minutes: 62, ...noted("Evaporated", "m") }),
    // What serves again is what it is, whatever was noted of its first end.
    storedDeployment("7c9f21", "i:4", 2, { minutes: 63, ...noted("WasStable", "m") }),
  ];
  const { revisions } = historyOf(bridge, familyOf(bridge, deployments, [], []).deployments);
  expect(revisions.map(({ outcome, why }) => [outcome, why])).toEqual([
    ["RolledBack", "Alert: m"],
    ["Withdrawn", "The spec moved on."],
    ["Retired", ""],
    ["Stable", ""],
  ]);
});
