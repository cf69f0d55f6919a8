import { defineConfig } from "vitest/config";

/**
 * The unit tests by which mutants of operator/evidence and operator/rollout are judged. Those that play thousands of rollouts are left out: they
 * would be run again for nearly each mutant and take all of the time, so the score is one without them.
 */
export default defineConfig({
  test: {
    include: ["operator/{evidence,rollout}/**/*.test.ts"],
    exclude: ["**/*.server.test.ts", "**/exploration.test.ts", "**/error-probabilities.test.ts"],
    testTimeout: 120_000,
    isolate: false,
  },
});
