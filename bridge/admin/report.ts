import { getHeapStatistics } from "node:v8";
import type { BridgeConfig } from "../../contract/config.ts";
import type {
  CacheStatsBody,
  LocalAlert,
  OptimizationBody,
  PoolStats,
  StatusBody,
} from "../../contract/status.ts";
import type { Service } from "../http/service.ts";
import type { RuntimeState } from "../lifecycle/runtime.ts";
import type { IsolateWatch } from "../metrics/isolate.ts";
import type { Usage } from "../usage/usage.ts";
import type { Workers } from "../workers/workers.ts";
import { localAlerts } from "./alerts.ts";
import { recommendations } from "./recommend.ts";

export interface ReportSources {
  readonly config: BridgeConfig;
  readonly pod: string;
  readonly version: string;
  readonly service: Service;
  readonly usage: Usage | undefined;
  readonly workers: Workers;
  readonly runtime: RuntimeState;
  readonly isolate: IsolateWatch;
  readonly webSockets: () => number;
  readonly state: () => StatusBody["state"];
  readonly env: Record<string, string | undefined>;
}

/** The bodies of the admin port, each made when it is asked for. */
export interface Report {
  status(): StatusBody;
  optimization(): OptimizationBody;
  alerts(): LocalAlert[];
  pools(): PoolStats[];
  cache(): CacheStatsBody;
}

/** Threads of libuv where UV_THREADPOOL_SIZE is not set (libuv, "Thread pool work scheduling"). */
const LIBUV_THREADS = 4;

/** The container's memory limit; undefined outside of a container, where Node reports 0 or more than any machine has. */
function containerLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < 2 ** 50 ? limit : undefined;
}

export function createReport(sources: ReportSources): Report {
  const { config, service, runtime, isolate, workers } = sources;

  const pools = (): PoolStats[] => {
    const all: PoolStats[] = service.catalog.upstreams.map((upstream) => upstream.pool.stats());
    if (sources.usage !== undefined) all.push({ pool: "postgres", ...sources.usage.stats().pool });
    const { redis } = service.cache.stats();
    if (redis !== undefined) all.push(redis.pool);
    return all;
  };
  const cache = (): CacheStatsBody => {
    const { entries, bytes, maxBytes, redis } = service.cache.stats();
    return {
      memory: { entries, bytes, maxBytes },
      ...(redis === undefined
        ? {}
        : { redis: { connected: redis.connected, pendingBytes: redis.pendingBytes } }),
    };
  };
  const runtimeStats = (): StatusBody["runtime"] => ({
    confirmedGeneration: runtime.confirmed,
    generation: runtime.current.generation,
    ...(runtime.problem === undefined ? {} : { problem: runtime.problem }),
  });
  const alerts = (): LocalAlert[] => {
    const { threads, queued } = workers.stats();
    return localAlerts({
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      heapAfterMajorGcBytes: isolate.heapAfterMajorGcBytes,
      gcShare: isolate.gcShare,
      eventLoopUtilization: isolate.eventLoopUtilization,
      pools: pools(),
      workersQueued: queued,
      workerThreads: threads,
      runtimeProblem: runtime.problem,
    });
  };

  return {
    pools,
    cache,
    alerts,
    status: () => ({
      bridge: config.bridge,
      namespace: config.namespace,
      revision: config.revision,
      pod: sources.pod,
      version: sources.version,
      node: process.versions.node,
      state: sources.state(),
      uptimeSeconds: process.uptime(),
      runtime: runtimeStats(),
      requests: {
        finished: service.ledger.totals.requests,
        inFlight: service.ledger.inFlight,
        streams: service.ledger.streams,
        webSockets: sources.webSockets(),
        connections: service.connections.size,
        errors: { ...service.ledger.totals.errors },
      },
      upstreams: service.catalog.upstreams.map((upstream) => ({
        name: upstream.name,
        protocol: upstream.config.protocol,
        models: upstream.config.models,
        pool: upstream.pool.stats(),
      })),
    }),
    optimization() {
      const heap = getHeapStatistics();
      const nodeOptions = sources.env.NODE_OPTIONS ?? "";
      const containerLimitBytes = containerLimit();
      const { threads, cap, busy, queued } = workers.stats();
      return {
        nodeOptions,
        libuvThreads: Number(sources.env.UV_THREADPOOL_SIZE ?? LIBUV_THREADS),
        heap: {
          limitBytes: heap.heap_size_limit,
          usedBytes: heap.used_heap_size,
          afterMajorGcBytes: isolate.heapAfterMajorGcBytes,
          ...(containerLimitBytes === undefined ? {} : { containerLimitBytes }),
        },
        gcShare: isolate.gcShare,
        eventLoopUtilization: isolate.eventLoopUtilization,
        workers: { threads, cap, busy, queued },
        pools: pools(),
        cache: cache(),
        runtime: runtimeStats(),
        maxConnectionAgeMs: runtime.current.maxConnectionAgeMs,
        maxAgentConnectionAgeMs: runtime.current.maxAgentConnectionAgeMs,
        drain: runtime.current.drain,
        recommendations: recommendations({
          alerts: alerts(),
          heapLimitBytes: heap.heap_size_limit,
          containerLimitBytes,
          nodeOptions,
        }),
      };
    },
  };
}
