import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { SlowFirst } from "./test/run/slow-first.ts";

/** A failure's first line is often the only one kept: it must hold what was found, not "…(1)". */
const WHOLE = { chaiConfig: { truncateThreshold: 1_500 } };
/** What hangs is to be found; what is only slow on a busy machine has not failed. */
const PATIENCE = {
  ...WHOLE,
  testTimeout: 120_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 20_000 } },
};
const NOT_UNIT = ["**/*.{server,cluster,alone,optional}.test.ts", "**/node_modules/**"];
/** vitest leaves one processor to itself, which on two is half of them. */
const BOTH = { maxWorkers: Math.max(2, availableParallelism() - 1) };
/** Where some tests wait for servers and timers, others compute meanwhile. */
const ONE_MORE = { maxWorkers: BOTH.maxWorkers + 1 };
/** Suites on one cluster at once. One and its cluster use 44 % of two processors; two at once pass on a quiet machine, and starve on another. */
const SIDE_BY_SIDE = availableParallelism() >= 4 ? 2 : 1;
const CLUSTER_PATIENCE = { ...WHOLE, testTimeout: 600_000, hookTimeout: 900_000 };

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        // Pure code: its tests leave nothing behind that the next file's could meet, so they share a process and what it has loaded.
        test: {
          name: "unit",
          include: ["{operator,contract,bench}/**/*.test.ts"],
          exclude: NOT_UNIT,
          ...PATIENCE,
          ...ONE_MORE,
          isolate: false,
        },
      },
      {
        // Servers in the test's own process, child processes, worker threads. Each test ends what it starts, so that files can share a process here too.
        test: {
          name: "unit-processes",
          include: ["{bridge,tools,test}/**/*.test.ts"],
          exclude: NOT_UNIT,
          ...PATIENCE,
          ...ONE_MORE,
          isolate: false,
        },
      },
      {
        // Suites that start a real etcd and API server, Redis, Postgres or Prometheus, but no node. Half of the time they wait for these.
        test: {
          name: "server",
          include: ["{operator,bridge,test}/**/*.server.test.ts"],
          globalSetup: "test/faults/lending-setup.ts",
          ...PATIENCE,
          ...ONE_MORE,
        },
      },
      {
        // Suites that share the real cluster, each with a namespace of its own; most of their time they wait for windows to pass.
        test: {
          name: "cluster",
          include: ["test/**/*.cluster.test.ts"],
          globalSetup: "test/scene/global-setup.ts",
          ...CLUSTER_PATIENCE,
          maxWorkers: SIDE_BY_SIDE,
        },
      },
      {
        // Suites that need a real cluster for themselves, because they break a part of it or measure all of it; one at a time.
        test: {
          name: "alone",
          include: ["test/**/*.alone.test.ts"],
          globalSetup: "test/scene/global-setup.ts",
          ...CLUSTER_PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Suites that need what takes long to build and little else needs: see the Makefile for the target of each.
        test: {
          name: "optional",
          include: ["test/**/*.optional.test.ts"],
          globalSetup: "test/scene/global-setup.ts",
          ...CLUSTER_PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
