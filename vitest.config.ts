import { defineConfig } from "vitest/config";

/** What hangs is to be found; what is only slow on a busy machine has not failed. */
const PATIENCE = { testTimeout: 120_000, hookTimeout: 180_000, expect: { poll: { timeout: 20_000 } } };
const CLUSTER_PATIENCE = { testTimeout: 600_000, hookTimeout: 900_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{operator,bridge,contract,tools,test}/**/*.test.ts"],
          exclude: ["**/*.{server,cluster,alone}.test.ts", "**/node_modules/**"],
          ...PATIENCE,
        },
      },
      {
        // Suites that start a real etcd and API server, Redis, Postgres or Prometheus, but no node.
        test: {
          name: "server",
          include: ["{operator,bridge,test}/**/*.server.test.ts"],
          ...PATIENCE,
          maxWorkers: 2,
        },
      },
      {
        // Suites that share the real cluster, each with a namespace of its own; most of their time they wait for windows to pass.
        test: {
          name: "cluster",
          include: ["test/**/*.cluster.test.ts"],
          globalSetup: "test/scene/global-setup.ts",
          ...CLUSTER_PATIENCE,
          maxWorkers: 2,
        },
      },
      {
        // Suites that need a real cluster for themselves, because they break a part of it or measure all of it; one at a time.
        test: {
          name: "alone",
          include: ["test/**/*.alone.test.ts"],
          globalSetup: "test/scene/global-setup.ts",
          env: { LLMBRIDGE_CLUSTER_NETWORK: "10.215" },
          ...CLUSTER_PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
