import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { startEvidence } from "../../evidence/state.ts";
import type { Evidence } from "../decide/evidence.ts";
import { begunThings, SPEC } from "../testing/old-things.ts";
import { TAKEN_OVER } from "./observed.ts";
import { withoutBaseline, withoutComparison } from "./verdicts.ts";
import type { TakeOverView } from "./view.ts";

const config = evidenceConfig(SPEC.rollout.analysis);
const evidence: Evidence = {
  ...{ config, canary: "abc", state: startEvidence(config, {}, 0), missing: undefined, intervalMs: 15_000 },
  verdicts: [
    { signal: "errors", category: "ProvedWorse", samples: 9, logEWorse: 9, logEBelow: 0, message: "Worse." },
  ],
};
const view = (deployment: string): TakeOverView => ({
  ...{ names: { deployment, services: [] }, seen: begunThings(), stage: "Serving" },
  ...{ objection: undefined, replicasBefore: 3 },
});
const stableIs = (stableRevision: string) => ({
  rollout: { phase: "Holding", phaseSince: "", stableRevision } satisfies RolloutStatus,
});

it("no baseline is started from an old Deployment while it serves", () => {
  const rollout = { ...SPEC.rollout, baseline: "SameAge" } as const;
  expect(withoutBaseline(rollout, view("web")).baseline).toBe("Stable");
  expect(withoutBaseline(rollout, { ...view("web"), stage: "Complete" }).baseline).toBe("SameAge");
  expect(withoutBaseline(rollout, undefined).baseline).toBe("SameAge");
});

describe("evidence beside an old Deployment", () => {
  it("neither proves nor disproves what would have to be compared, and says so in a sentence that status has room for", () => {
    const { verdicts } = withoutComparison(evidence, stableIs(TAKEN_OVER), view("w".repeat(253)));
    expect(verdicts).toMatchObject([{ signal: "errors", category: "NoData", samples: 0 }]);
    expect(verdicts[0]?.message).toContain("errors cannot be compared");
    expect(verdicts[0]?.message.length).toBeLessThanOrEqual(300);
  });

  it("is as it was beside a version of the bridge's own", () => {
    expect(withoutComparison(evidence, stableIs("def"), view("web"))).toBe(evidence);
    expect(withoutComparison(evidence, stableIs(TAKEN_OVER), undefined)).toBe(evidence);
  });
});
