import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Logger } from "pino";
import { collectDefaultMetrics } from "prom-client";
import { FILES } from "../contract/endpoints.ts";
import { createReport } from "./admin/report.ts";
import { createAdmin } from "./admin/server.ts";
import { type Agents, createAgents } from "./agents/endpoint.ts";
import { createAnswerCache } from "./cache/cache.ts";
import { parseConfig, parseRuntime } from "./config/parse.ts";
import { openSecret } from "./config/secret.ts";
import { watchFile } from "./config/watch.ts";
import { createFront } from "./http/front.ts";
import { createUsageMeter } from "./http/meter.ts";
import type { Service } from "./http/service.ts";
import { createTenantNames } from "./http/tenant.ts";
import { Connections } from "./lifecycle/connections.ts";
import { createDrain } from "./lifecycle/drain.ts";
import { createRuntimeState } from "./lifecycle/runtime.ts";
import { createLedger } from "./metrics/account.ts";
import { watchIsolate } from "./metrics/isolate.ts";
import { createMetrics } from "./metrics/registry.ts";
import { refreshGauges } from "./metrics/scrape.ts";
import { watchSecrets } from "./metrics/secrets.ts";
import type { Settings } from "./settings.ts";
import { Catalog } from "./upstreams/catalog.ts";
import { createWorkers } from "./workers/workers.ts";

/** How long a client may leave our bytes unread before it is given up, in milliseconds. */
const STALL_MS = 60_000;

export interface BridgeOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly log: Logger;
  readonly env: Record<string, string | undefined>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** A short id that is used once. */
  readonly newId: () => string;
  /** An id that cannot be guessed. */
  readonly newEpoch: () => string;
}

export interface Bridge {
  /** Ports that are listened on. */
  readonly trafficPort: number;
  readonly adminPort: number;
  /** Runs the drain protocol, flushes what is queued and closes everything; resolves when the process may exit. */
  stop(): Promise<void>;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function required<T>(parsed: { ok: true; value: T } | { ok: false; message: string }): T {
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/**
 * Puts the bridge together from its mounted files and starts it. Ready when it resolves.
 * @throws Error in one sentence when a file is missing or wrong, or a port is taken.
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { settings, log } = options;
  const config = required(parseConfig(readFileSync(join(settings.configDir, FILES.config), "utf8")));
  const runtimePath = join(settings.runtimeDir, FILES.runtime);
  const runtimeText = readFileSync(runtimePath, "utf8");
  const first = required(parseRuntime(runtimeText, config.workers.cap));

  const metrics = createMetrics({ bridge: config.bridge, revision: config.revision });
  metrics.info.set({ version: options.version, node: process.versions.node }, 1);
  metrics.draining.set(0);
  metrics.runtimeGeneration.set(0);
  // Process metrics; the loop delay is sampled less often than by default, which would wake an idle pod 100 times a second.
  collectDefaultMetrics({ register: metrics.registry, eventLoopMonitoringPrecision: 100 });
  const isolate = watchIsolate(metrics);
  const files = watchSecrets(metrics, options.now);
  const scope = `${config.namespace}/${config.bridge}`;

  const workers = createWorkers({
    metrics,
    log,
    cap: config.workers.cap,
    count: first.workers,
    heapMiB: config.workers.heapMiB,
  });
  const cache = createAnswerCache({
    metrics,
    log,
    scope,
    maxBytes: first.cacheBytes,
    ttlMs: config.cache.ttlMs,
    ...(config.cache.redisUrlFile === undefined
      ? {}
      : {
          redis: {
            urlFile: config.cache.redisUrlFile,
            files,
            connections: first.redisConnections,
            pollMs: settings.filePollMs,
          },
        }),
  });
  // Loaded where it is used only: the Postgres client is a tenth of an idle pod's memory.
  const usage =
    config.postgres === undefined
      ? undefined
      : (await import("./usage/usage.ts")).createUsage({
          metrics,
          log,
          bridge: scope,
          revision: config.revision,
          urlFile: config.postgres.urlFile,
          files,
          connections: first.postgresConnections,
          pollMs: settings.filePollMs,
        });
  const onFileError = (error: Error): void => log.warn({ err: error }, "a mounted file cannot be read");
  const catalog = new Catalog({
    upstreams: config.upstreams,
    runtime: first,
    openToken: (path) => openSecret({ path, files, pollMs: settings.filePollMs, onError: onFileError }),
    metrics,
    now: options.now,
  });
  const connections = new Connections({ maxAgeMs: first.maxConnectionAgeMs, random: options.random });
  const service: Service = {
    revision: config.revision,
    limits: config.limits,
    stallMs: STALL_MS,
    catalog,
    cache,
    workers,
    ledger: createLedger(metrics),
    metrics,
    connections,
    tenants: createTenantNames(),
    meter:
      usage === undefined
        ? undefined
        : createUsageMeter(usage, workers, (error) => log.warn({ err: error }, "tokens were not counted")),
    log,
  };

  const agents: Agents = createAgents({
    service,
    newId: options.newId,
    newEpoch: options.newEpoch,
    random: options.random,
    maxAgeMs: first.maxAgentConnectionAgeMs,
  });
  const runtime = createRuntimeState({
    first,
    parts: [
      (wanted) => catalog.resize(wanted),
      (wanted) => usage?.resize(wanted.postgresConnections),
      (wanted) => cache.resizeRedis(wanted.redisConnections),
      (wanted) => cache.resize(wanted.cacheBytes),
      (wanted) => workers.resize(wanted.workers),
      (wanted) => connections.setMaxAge(wanted.maxConnectionAgeMs),
      (wanted) => agents.setMaxAge(wanted.maxAgentConnectionAgeMs),
    ],
    onConfirmed: (generation) => {
      metrics.runtimeGeneration.set(generation);
      log.info({ generation }, "runtime numbers are in force");
    },
    onError: (error) => log.error({ err: error }, "runtime numbers were not applied"),
  });

  let state: "starting" | "ready" | "draining" = "starting";
  const health = () => (state === "ready" ? "ok" : state);
  const webSockets = (): number => agents.size;
  const front = createFront({
    service,
    health,
    newId: options.newId,
    upgrade: (request, socket, head) => agents.upgrade(request, socket, head),
  });
  const report = createReport({
    config,
    pod: settings.podName,
    version: options.version,
    service,
    usage,
    workers,
    runtime,
    isolate,
    webSockets,
    state: () => state,
    env: options.env,
  });
  const admin = createAdmin({
    report,
    metrics,
    refresh: () => refreshGauges({ metrics, ledger: service.ledger, catalog, connections, webSockets }),
    health,
  });
  const drain = createDrain({
    front,
    connections,
    agents,
    metrics,
    log,
    inFlight: () => service.ledger.inFlight,
    times: () => runtime.current.drain,
  });

  const adminPort = await listen(admin, settings.host, settings.adminPort);
  const trafficPort = await listen(front, settings.host, settings.trafficPort);
  const watched = watchFile(
    {
      path: runtimePath,
      pollMs: settings.filePollMs,
      onError: onFileError,
      onChange(text) {
        const parsed = parseRuntime(text, config.workers.cap);
        if (parsed.ok) {
          void runtime.apply(parsed.value);
          return;
        }
        runtime.refuse(parsed.message);
        log.error(
          { problem: parsed.message },
          "the new runtime file is refused; the one before it stays in force",
        );
      },
    },
    runtimeText,
  );
  await runtime.apply(first);
  state = "ready";
  log.info({ revision: config.revision, trafficPort, adminPort }, "ready");

  const stop = async (): Promise<void> => {
    state = "draining";
    await drain.begin();
    watched.close();
    agents.close();
    // After the last request, so that its usage is written too once its tokens are counted; metrics stay up until all else is done.
    await usage?.close(workers.idle());
    await Promise.all([catalog.close(), cache.close(), workers.close()]);
    isolate.close();
    front.closeAllConnections();
    admin.close();
    admin.closeAllConnections();
  };
  let stopping: Promise<void> | undefined;
  return {
    trafficPort,
    adminPort,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
