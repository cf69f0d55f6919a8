/**
 * Runs every check and suite in turn and closes with the line `N passed, N failed`.
 *
 * A check that is a whole command (types, lint, ...) counts as one; suites count by their tests. A suite that dies without a
 * report counts as one failure, so that no crash can look like a pass. Names of suites as arguments run only those. What failed
 * is named again at the very end, because the end of a long log is the part that people see first, and often the only one kept.
 *
 * The suites on a cluster wait for windows to pass most of their time: one at a time uses a quarter of two processors. So they are dealt to two
 * clusters side by side, three where there are four processors, and what those of the others say is kept until they have ended. Three on two processors
 * save four minutes and leave no room for anything else. Beside the suites that need no cluster they starve: each of these uses what there is.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { cacheRoot } from "../tools/setup/cache.ts";
import { createProgress } from "../tools/setup/progress.ts";
import { removeAbandoned } from "./cluster/api-server.ts";
import { clusterSettings, siblingNetwork } from "./cluster/settings.ts";
import { clusterDown } from "./cluster/up.ts";
import { type Count, countOf } from "./run/count.ts";
import { endInOrder } from "./run/interrupt.ts";
import { dealt } from "./run/lanes.ts";

interface Stage {
  readonly name: string;
  /** Runs while the stages after it do, its output in the log that it is given. */
  readonly beside: boolean;
  readonly run: (log?: string) => Promise<Count>;
}

const children = new Set<ChildProcess>();
const reports = mkdtempSync(join(tmpdir(), "llmbridge-test-"));

interface Running {
  /** Where its output goes; default: to where ours goes. */
  readonly log?: string | undefined;
  /** Added to our environment. */
  readonly env?: NodeJS.ProcessEnv;
}

function exitCode(
  command: string,
  args: readonly string[],
  { log, env = {} }: Running = {},
): Promise<number> {
  return new Promise((resolve) => {
    const output = log === undefined ? ("inherit" as const) : openSync(log, "w");
    const stdio = ["inherit", output, output] as const;
    const child = spawn(command, args, { stdio: [...stdio], env: { ...process.env, ...env } });
    if (output !== "inherit") closeSync(output);
    children.add(child);
    child.on("error", () => resolve(127));
    child.on("exit", (code, signal) => {
      children.delete(child);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

function check(name: string, command: string, ...args: string[]): Stage {
  return {
    name,
    beside: false,
    run: async () => {
      const code = await exitCode(command, args);
      const passed = code === 0;
      return {
        passed: passed ? 1 : 0,
        failed: passed ? 0 : 1,
        skipped: 0,
        failures: passed ? [] : [`${name}: ${command} ${args.join(" ")} ended with ${code}`],
      };
    },
  };
}

interface SuiteOptions extends Omit<Running, "log"> {
  /** Projects of vitest.config.ts; default: the one of the suite's name. */
  readonly projects?: readonly string[];
  /** Which of their files. Default: all. */
  readonly files?: readonly string[];
  readonly beside?: boolean;
}

function suite(
  name: string,
  { projects = [name], files = [], beside = false, ...running }: SuiteOptions = {},
): Stage {
  return {
    name,
    beside,
    run: async (log) => {
      const file = join(reports, `${name}.json`);
      const args = [
        "run",
        ...projects.flatMap((one) => ["--project", one]),
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${file}`,
        ...files,
      ];
      return countOf(file, await exitCode("vitest", args, { ...running, log }));
    },
  };
}

/** What takes minutes to build where it is not cached, and a suite needs late: built beside what comes before, and yields to it. */
function prepared(name: string, ...args: readonly string[]): Stage {
  return {
    name,
    beside: true,
    run: async (log) => {
      const passed = (await exitCode("nice", ["-n", "19", "node", ...args], { log })) === 0;
      const failures = passed ? [] : [`${name}: node ${args.join(" ")} failed`];
      return { passed: Number(passed), failed: Number(!passed), skipped: 0, failures };
    },
  };
}

/** Seconds that suites on a cluster take, several at a time on two processors. */
const SECONDS: Readonly<Record<string, number>> = {
  "test/cluster/cluster.alone.test.ts": 76,
  "test/e2e/admission.cluster.test.ts": 5,
  "test/e2e/baseline.cluster.test.ts": 120,
  "test/e2e/budget.cluster.test.ts": 90,
  "test/e2e/cli.cluster.test.ts": 135,
  "test/e2e/gates.cluster.test.ts": 28,
  "test/e2e/deletion.cluster.test.ts": 25,
  "test/e2e/gateway-affinity.cluster.test.ts": 95,
  "test/e2e/gateway-switch.cluster.test.ts": 80,
  "test/e2e/gateway.cluster.test.ts": 165,
  "test/e2e/operator-leadership.alone.test.ts": 105,
  "test/e2e/operator-lifecycle.alone.test.ts": 88,
  "test/e2e/operator-outages.alone.test.ts": 250,
  "test/e2e/operator-restart.alone.test.ts": 145,
  "test/e2e/own-cluster.cluster.test.ts": 30,
  "test/e2e/promote.cluster.test.ts": 95,
  "test/e2e/rollback.cluster.test.ts": 138,
  "test/e2e/scaling.cluster.test.ts": 140,
  "test/e2e/secret-canary.cluster.test.ts": 95,
  "test/e2e/take-over.cluster.test.ts": 85,
};
const ON_A_CLUSTER = ["cluster", "alone"];
/** How far the network of each lane's cluster is from this machine's. */
const LANES = availableParallelism() >= 4 ? [0, 1, 4] : [0, 1];
/** How far the suite of clusters goes from its lane's. */
const OWN_SIBLING = 2;
const lanes = dealt(globSync("test/**/*.{cluster,alone}.test.ts"), SECONDS, LANES.length);
const onACluster = lanes.map(({ files }, index) =>
  suite(index === 0 ? "cluster" : `cluster-${index + 1}`, {
    projects: ON_A_CLUSTER,
    files,
    beside: index > 0,
    env: { LLMBRIDGE_CLUSTER_NETWORK: siblingNetwork(process.env, LANES[index] ?? 0) },
  }),
);

const stages: readonly Stage[] = [
  prepared("traefik", "test/images/support.ts"),
  check("lint", "biome", "check", "--error-on-warnings", "."),
  check("types", "tsc", "--noEmit"),
  check("generated", "node", "tools/generate.ts", "--check"),
  check("dead-code", "knip"),
  suite("unit", { projects: ["unit", "unit-processes"] }),
  suite("server"),
  ...onACluster.toReversed(),
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(
    `error: no suite named ${unknown.join(", ")}; there are ${stages.map((s) => s.name).join(", ")}`,
  );
  process.exit(2);
}

const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const lines: string[] = [];

function book({ name }: Stage, startedMs: number, count: Count): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  lines.push(
    `${name.padEnd(12)} ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped  ${seconds} s`,
  );
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
  failures.push(...count.failures);
}

async function runHere(stage: Stage): Promise<void> {
  const startedMs = performance.now();
  console.log(`\n==> ${stage.name}`);
  book(stage, startedMs, await stage.run());
}

async function runBeside(stage: Stage): Promise<void> {
  const startedMs = performance.now();
  const log = join(reports, `${stage.name}.log`);
  console.log(`\n==> ${stage.name} (beside what follows; its output comes when it has ended)`);
  const count = await stage.run(log);
  console.log(`\n==> ${stage.name} has ended\n${readFileSync(log, "utf8")}`);
  book(stage, startedMs, count);
}

/** Of every lane, and of the suite of clusters where it is part of that lane; those that somebody has up now stay up. */
const startedHere = LANES.flatMap((lane) => [lane, lane + OWN_SIBLING])
  .map((by) => ({ ...process.env, LLMBRIDGE_CLUSTER_NETWORK: siblingNetwork(process.env, by) }))
  .filter((env) => !existsSync(clusterSettings(env).workFolder));
endInOrder({
  children,
  say: (line) => console.error(`\n${line}`),
  takeDown: async () => {
    const progress = createProgress({ write: (text) => process.stderr.write(text), nowMs: Date.now });
    for (const env of startedHere)
      if (existsSync(clusterSettings(env).workFolder)) await clusterDown({ progress, env });
    await removeAbandoned(cacheRoot(process.env));
  },
});

const beside: Promise<void>[] = [];
const chosen = stages.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
for (const stage of chosen) {
  if (stage.beside && stage !== chosen.at(-1)) beside.push(runBeside(stage));
  else await runHere(stage);
}
await Promise.all(beside);
rmSync(reports, { recursive: true, force: true });
console.log(`\n${lines.join("\n")}\n`);
if (failures.length > 0) console.log(`${failures.map((line) => `FAILED ${line}`).join("\n")}\n`);
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
