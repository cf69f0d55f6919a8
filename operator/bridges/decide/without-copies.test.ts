import { expect, it } from "vitest";
import { rollout } from "../../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { PodReading } from "../../scaling/reading.ts";
import { withoutCopies } from "./without-copies.ts";

const PLAN = rollout.parse({
  steps: [
    { name: "copies", weight: 0, mirror: 100 },
    { name: "all", weight: 100 },
  ],
});
const reading = (pod: string, revision: string): PodReading => ({ pod, revision, ready: true });
const ALL = [reading("p-1", "a"), reading("p-2", "b")];
const at = (stepName: string): RolloutStatus => ({
  phase: "Holding",
  phaseSince: "2026-01-01T00:00:00Z",
  stableRevision: "a",
  canaryRevision: "b",
  stepName,
});

it("leaves out what is copied to a canary, at the step that copies alone", () => {
  expect(withoutCopies(ALL, PLAN, at("copies"))).toEqual([reading("p-1", "a")]);
  expect(withoutCopies(ALL, PLAN, at("all"))).toEqual(ALL);
  expect(withoutCopies(ALL, PLAN, { ...at("copies"), canaryRevision: undefined })).toEqual(ALL);
  expect(withoutCopies(ALL, PLAN, undefined)).toEqual(ALL);
});
