import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { cacheKey, fileParts } from "../../tools/setup/cache.ts";
import { setUpMachine } from "../../tools/setup/main.ts";
import type { Progress } from "../../tools/setup/progress.ts";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import { supportImages } from "../images/support.ts";
import { PROMETHEUS_SERVICE } from "./addons.ts";
import { removeCluster } from "./cleanup.ts";
import type { Cluster, ComponentName, LocalCluster } from "./cluster.ts";
import { startComponent, stopComponent } from "./component.ts";
import { auditLogPath } from "./control-plane.ts";
import { externalCluster } from "./external.ts";
import { healthProblem, waitReady } from "./health.ts";
import { importImage } from "./images.ts";
import { withLock } from "./lock.ts";
import { demandNoStranger, demandRoot, newestOf, preflight } from "./preflight.ts";
import { type ClusterSettings, clusterSettings } from "./settings.ts";
import { kubeconfigPath, startCluster } from "./start.ts";
import { clusterLock, readState, writeState } from "./state.ts";

export interface ClusterOptions {
  readonly progress: Progress;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Brings the test cluster up: installs and builds what is missing, removes what a crash left behind, and starts.
 * When a healthy one is up already, nothing is started. Throws a SetupProblem for what a person must do first.
 */
export async function clusterUp(options: ClusterOptions): Promise<LocalCluster> {
  const { progress, env = process.env } = options;
  const settings = clusterSettings(env);
  const tools = await setUpMachine(progress);
  demandRoot();
  const images = await supportImages(settings.cache, tools);
  const inputs = cacheKey([
    ...Object.values(tools).map((path) => basename(dirname(path))),
    ...images.map((image) => image.id),
    ...fileParts(import.meta.dirname, ["."], { keep: (path) => !path.endsWith(".test.ts") }),
  ]);
  return withLock(clusterLock(settings.workFolder, progress.note), async () => {
    const known = readState(settings.workFolder);
    const problem = known === undefined ? "it is not up" : await healthProblem(settings, known);
    if (known !== undefined && problem === undefined) {
      if (known.inputs !== inputs)
        progress.note(
          "The cluster that is up was started from other sources; make cluster-down lets a new one start.",
        );
      return localCluster(settings, tools, false);
    }
    demandNoStranger(settings);
    if (known !== undefined)
      progress.note(`A cluster was up but is not healthy (${problem}); starting a new one.`);
    await removeCluster(settings);
    await preflight(settings, newestOf(Object.values(tools)));
    mkdirSync(settings.workFolder, { recursive: true });
    await progress.step("Cluster up: etcd, API server, node, DNS, Prometheus", async () => {
      try {
        writeState(settings.workFolder, await startCluster(settings, tools, images, inputs));
      } catch (error) {
        await removeCluster(settings, true);
        throw new Error(`The cluster did not start; its logs are in ${join(settings.workFolder, "log")}.`, {
          cause: error,
        });
      }
    });
    return localCluster(settings, tools, true);
  });
}

/** Stops the cluster and removes everything of it; fine when there is none. */
export async function clusterDown(options: ClusterOptions): Promise<void> {
  demandRoot();
  const settings = clusterSettings(options.env ?? process.env);
  await withLock(clusterLock(settings.workFolder, options.progress.note), () => removeCluster(settings));
}

function localCluster(settings: ClusterSettings, tools: ToolPaths, startedHere: boolean): LocalCluster {
  const { workFolder } = settings;
  const binFolder = join(workFolder, "bin");

  const changeState = <T>(
    change: (state: NonNullable<ReturnType<typeof readState>>) => Promise<T>,
  ): Promise<T> =>
    withLock(clusterLock(workFolder), async () => {
      const state = readState(workFolder);
      if (state === undefined) throw new Error("The cluster is not up.");
      const result = await change(state);
      writeState(workFolder, state);
      return result;
    });

  const stop: LocalCluster["stop"] = (name, signal) =>
    changeState(async (state) => {
      const running = state.running[name];
      if (running === undefined || state.stopped.includes(name)) return;
      await stopComponent(running, signal);
      state.stopped.push(name);
    });
  const start: LocalCluster["start"] = (name) =>
    changeState(async (state) => {
      const running = state.running[name];
      if (running === undefined || !state.stopped.includes(name)) return;
      state.running[name] = await startComponent(running.component, { owner: workFolder, node: state.node });
      state.stopped = state.stopped.filter((other) => other !== name);
      await waitReady(settings, name as ComponentName);
    });

  return {
    kind: "Local",
    startedHere,
    workFolder,
    kubeconfigPath: kubeconfigPath(settings),
    prometheusUrl: `http://${settings.hostAddress}:${settings.ports.prometheus}`,
    prometheusUrlInCluster: `http://${PROMETHEUS_SERVICE.name}.${PROMETHEUS_SERVICE.namespace}.svc:${PROMETHEUS_SERVICE.port}`,
    kubectlPath: join(binFolder, "kubectl"),
    helmPath: tools.helm,
    hostAddress: settings.hostAddress,
    binFolder,
    auditLogPath: auditLogPath(workFolder),
    logFolder: join(workFolder, "log"),
    loadImage: (image, ...moreNames) => importImage(settings, image, moreNames),
    stop,
    start,
    stopPrometheus: () => stop("prometheus", "SIGTERM"),
    startPrometheus: () => start("prometheus"),
  };
}

/**
 * The cluster for suites that do no harm: the one that `LLMBRIDGE_KUBECONFIG` names, else the local one. Suites that
 * stop parts of the cluster call {@link clusterUp}, which never answers somebody's own.
 */
export async function clusterForSuites(options: ClusterOptions): Promise<Cluster> {
  return externalCluster(options.env ?? process.env) ?? (await clusterUp(options));
}
