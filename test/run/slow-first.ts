import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Suites that take longest of those they run with, the longest first. vitest begins with the largest files where it has never measured them, and what takes
 * longest may be a small one: begun last, it alone would be waited for.
 */
const SLOW = [
  "test/faults/explore.server.test.ts",
  "test/faults/others.server.test.ts",
  "test/faults/optional-apis.server.test.ts",
  "bridge/workers/workers.server.test.ts",
  "test/faults/upgrade.server.test.ts",
  "test/faults/leaders.server.test.ts",
  "operator/rollout/exploration.test.ts",
  "operator/rollout/exploration-outside.test.ts",
  "operator/rollout/exploration-edits.test.ts",
  "bridge/lifecycle/drain.test.ts",
  "operator/bridges/mutations.test.ts",
];

/** Wait for what is built beside the others on a machine that has nothing yet. */
const LAST = ["gateway", "gateway-switch", "gateway-affinity", "baseline"].map(
  (what) => `test/e2e/${what}.cluster.test.ts`,
);

const place = ({ moduleId }: TestSpecification): number => {
  const index = SLOW.findIndex((path) => moduleId.endsWith(path));
  if (index >= 0) return index;
  return LAST.some((path) => moduleId.endsWith(path)) ? SLOW.length + 1 : SLOW.length;
};

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
