import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{operator,bridge,contract,tools,test}/**/*.test.ts"],
          exclude: ["**/*.cluster.test.ts", "**/*.server.test.ts", "**/node_modules/**"],
        },
      },
      {
        // Suites that start a real etcd and API server, Redis, Postgres or Prometheus, but no node.
        test: {
          name: "server",
          include: ["{operator,bridge,test}/**/*.server.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
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
