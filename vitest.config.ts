import { defineConfig } from "vitest/config";

/** What hangs is to be found; what is only slow on a busy machine has not failed. */
const patience = { testTimeout: 120_000, hookTimeout: 180_000, expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{operator,bridge,contract,tools,test}/**/*.test.ts"],
          exclude: ["**/*.cluster.test.ts", "**/*.server.test.ts", "**/node_modules/**"],
          ...patience,
        },
      },
      {
        // Suites that start a real etcd and API server, Redis, Postgres or Prometheus, but no node.
        test: {
          name: "server",
          include: ["{operator,bridge,test}/**/*.server.test.ts"],
          ...patience,
          maxWorkers: 1,
        },
      },
      {
        // Suites against the real cluster; one at a time, because there is one cluster a machine.
        test: {
          name: "cluster",
          include: ["test/**/*.cluster.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          maxWorkers: 1,
        },
      },
    ],
  },
});
