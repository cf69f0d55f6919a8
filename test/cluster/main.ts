import { SetupProblem } from "../../tools/setup/problem.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { healthProblem } from "./health.ts";
import { isAlive } from "./processes.ts";
import { clusterSettings } from "./settings.ts";
import { readState } from "./state.ts";
import { clusterDown, clusterUp } from "./up.ts";

const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });

async function up(): Promise<void> {
  const cluster = await clusterUp({ progress });
  progress.note(
    `${cluster.startedHere ? "The cluster is up" : "The cluster was up already"}:  . ${cluster.workFolder}/env  then  kubectl get pods -A`,
  );
  progress.note(
    `Prometheus: ${cluster.prometheusUrl}   logs: ${cluster.logFolder}   stop: make cluster-down`,
  );
}

async function status(): Promise<void> {
  const settings = clusterSettings(process.env);
  const state = readState(settings.workFolder);
  if (state === undefined) {
    progress.note("The cluster is not up; make cluster-up starts it.");
    process.exitCode = 1;
    return;
  }
  for (const { component, process: id } of Object.values(state.running)) {
    const text = state.stopped.includes(component.name) ? "stopped" : isAlive(id) ? `pid ${id.pid}` : "ended";
    progress.note(`${component.name.padEnd(26)}${text}`);
  }
  const problem = await healthProblem(settings, state);
  progress.note(problem === undefined ? "healthy" : `not healthy: ${problem}`);
  if (problem !== undefined) process.exitCode = 1;
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  up,
  status,
  down: () => progress.step("Cluster down", () => clusterDown({ progress })),
};

const command = commands[process.argv[2] ?? ""];
if (command === undefined) {
  process.stderr.write(`usage: node test/cluster/main.ts ${Object.keys(commands).join("|")}\n`);
  process.exitCode = 2;
} else {
  try {
    await command();
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  }
}

function errorText(error: unknown): string {
  if (error instanceof SetupProblem) return error.message;
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${errorText(error.cause)}`;
}
