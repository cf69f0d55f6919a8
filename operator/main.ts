import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import { createCaches } from "./bridges/caches.ts";
import { createBridgeController } from "./bridges/controller.ts";
import { createGateJobs } from "./bridges/gate-jobs.ts";
import { createGates } from "./bridges/gates.ts";
import { createHttpRoutes } from "./bridges/http-routes.ts";
import { createBridgeMetrics } from "./bridges/metrics.ts";
import { createConfigMaps } from "./bridges/observe/config-maps.ts";
import { createSecretContents } from "./bridges/observe/secret-contents.ts";
import { createPodMonitors } from "./bridges/pod-monitors.ts";
import { followGateWebhooks } from "./gate-webhooks.ts";
import { createGateCalls } from "./gates/calls.ts";
import { createGateMetrics } from "./gates/metrics.ts";
import { createClient } from "./kube/client.ts";
import { systemClock } from "./kube/clock.ts";
import { loadKubeConfig } from "./kube/kubeconfig.ts";
import { createElection, type ElectionCallbacks } from "./kube/lease.ts";
import type { Log } from "./kube/log.ts";
import { createKubeMetrics } from "./kube/metrics.ts";
import { createRecorder } from "./kube/recorder.ts";
import { whenAborted } from "./kube/signals.ts";
import { createTransport } from "./kube/transport.ts";
import { followSources } from "./metric-sources.ts";
import { followReceivers } from "./notifications.ts";
import { createNotifyMetrics } from "./notify/metrics.ts";
import { createNotifier } from "./notify/notifier.ts";
import { cachesSynced, reconcilesEnd, reflectorsMove } from "./server/health.ts";
import { createServers } from "./server/servers.ts";
import { settingsHelp } from "./settings/docs.ts";
import { SettingsError } from "./settings/problem.ts";
import type { ProcessSettings } from "./settings/process.ts";
import { readProcessSettings, wantsHelp } from "./settings/read-process.ts";
import { watchSettingsFile } from "./settings/watch.ts";
import { VERSION } from "./version.ts";

/** How long Events and notifications may take to leave on shutdown. */
const FLUSH_MS = 2_000;
/**
 * A tick of the event loop's monitor. Each costs 50 µs: at prom-client's 10 ms they are 0.3 s of CPU a minute, most of what an operator at rest
 * uses. A stall that could cost the lease is seen at any.
 */
const EVENT_LOOP_TICK_MS = 500;
/** A process that no longer leads ends within this, whatever still holds it: its standby and kubelet's restart wait for that. */
const END_MS = 5_000;

async function run(settings: ProcessSettings): Promise<number> {
  const log: Log = pino({ level: settings.logLevel, base: { version: VERSION } });
  const stop = new AbortController();
  const { signal } = stop;
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());

  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_TICK_MS });
  const metrics = createKubeMetrics(registry, "llmbridge_operator_");
  const kubeConfig = loadKubeConfig({ kubeconfig: settings.kubeconfig, context: settings.context });
  const file = await watchSettingsFile({
    path: settings.settings,
    signal,
    log,
    registry,
    prefix: "llmbridge_operator_",
  });
  const sources = followSources(file);
  const transport = createTransport({ kubeConfig, userAgent: `llmbridge-operator/${VERSION}`, log, metrics });
  const election = createElection({
    client: createClient(transport, { lane: "lease" }),
    namespace: settings.leaseNamespace,
    name: settings.leaseName,
    identity: `${settings.instance}_${randomBytes(4).toString("hex")}`,
    log,
    metrics,
  });
  const client = createClient(transport, settings.leaderElection ? { fence: election.fence } : {});
  const namespace = settings.watchNamespaces.length > 0 ? settings.watchNamespaces : undefined;
  const { bridgeSelector } = settings;
  const caches = createCaches(client, { namespace, bridgeSelector, log, metrics });
  const recorder = createRecorder({
    client,
    controller: "llmbridge.dev/operator",
    instance: settings.instance,
    log,
    metrics,
  });
  const notifier = createNotifier({ log, metrics: createNotifyMetrics(registry) });
  followReceivers(file, notifier);
  const gateCalls = createGateCalls({ log, metrics: createGateMetrics(registry) });
  followGateWebhooks(file, gateCalls);
  const gateJobs = createGateJobs({
    client,
    log,
    kubeMetrics: metrics,
    settings: file,
    namespaces: namespace,
  });
  const podMonitors = createPodMonitors({
    ...{ client, caches, log, kubeMetrics: metrics },
    settings: file,
    namespaces: namespace,
  });
  const configMaps = createConfigMaps({
    ...{ client, caches, log, metrics },
    namespaces: namespace,
    clock: systemClock,
  });
  const secretContents = createSecretContents({
    ...{ client, metrics, clock: systemClock },
    home: settings.leaseNamespace,
  });
  const httpRoutes = createHttpRoutes({
    ...{ client, caches, log, kubeMetrics: metrics },
    settings: file,
    namespaces: namespace,
  });
  const controller = createBridgeController({
    client,
    caches,
    podMonitors,
    configMaps,
    secretContents,
    gates: createGates({ calls: gateCalls, jobs: gateJobs, settings: file.current }),
    fleet: () => file.current().fleet,
    analyses: file.current,
    httpRoutes,
    source: sources.find,
    onSources: sources.onChange,
    recorder,
    notifier,
    metrics: createBridgeMetrics(registry),
    kubeMetrics: metrics,
    log,
    version: VERSION,
  });
  const informers = Object.fromEntries(caches.all.map((one) => [one.resource.plural, one]));
  const servers = await createServers({
    registry,
    metricsPort: settings.metricsPort,
    healthPort: settings.healthPort,
    live: [reflectorsMove(informers), reconcilesEnd(controller)],
    ready: [cachesSynced(informers)],
  });
  log.info({ metricsPort: servers.metricsPort, healthPort: servers.healthPort }, "the operator has started");

  // Caches fill before leadership, so that a standby takes over warm.
  const watching = Promise.all([
    ...caches.all.map((informer) => informer.start(signal)),
    podMonitors.follow(signal),
    gateJobs.follow(signal),
    configMaps.follow(signal),
    secretContents.follow(signal),
    httpRoutes.follow(signal),
  ]);
  const lead: ElectionCallbacks = {
    async onStarted(leading) {
      // A cache that cannot be filled must not keep the lease from the next leader.
      const settled = Promise.all(caches.all.map((informer) => informer.settled()));
      await Promise.race([settled, whenAborted(leading)]);
      if (leading.aborted) return;
      const unread = caches.all.filter((informer) => informer.health().refused.length > 0);
      if (unread.length === 0) log.info({}, "caches are full; reconciling");
      else
        log.warn(
          { unread: unread.map(({ resource }) => resource.plural) },
          "caches are full but for what may not be read; reconciling",
        );
      await Promise.all([controller.run(leading), podMonitors.run(leading), gateJobs.run(leading)]);
      await Promise.all([recorder.flush(FLUSH_MS), notifier.flush(FLUSH_MS)]);
    },
    onStopped: () => log.info({}, "leadership has ended"),
  };
  const end = settings.leaderElection ? await election.run(signal, lead) : await alone(signal, lead);
  stop.abort();
  setTimeout(() => {
    log.error({}, `the operator did not end by itself within ${END_MS / 1000} s`);
    process.exit(1);
  }, END_MS).unref();
  await watching;
  await Promise.all([servers.close(), sources.close(), notifier.close(), gateCalls.close()]);
  await transport.close();
  return end === "lost" ? 1 : 0;
}

async function alone(signal: AbortSignal, lead: ElectionCallbacks): Promise<"released"> {
  await lead.onStarted(signal);
  lead.onStopped();
  return "released";
}

process.on("unhandledRejection", (error) => {
  console.error("error: a promise was rejected and nobody listened; the operator stops.", error);
  process.exit(1);
});

try {
  const argv = process.argv.slice(2);
  if (wantsHelp(argv)) console.log(settingsHelp());
  else process.exitCode = await run(readProcessSettings(argv, process.env));
} catch (error) {
  if (error instanceof SettingsError) console.error(`error: ${error.message}`);
  else console.error("error: the operator cannot start:", error instanceof Error ? error.message : error);
  // What has been started already, such as the watch of the settings file, would keep a process alive that serves nothing.
  process.exit(1);
}
