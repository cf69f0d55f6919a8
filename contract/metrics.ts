/**
 * Metric names and labels that the bridge exports and the operator reads.
 * Every series of a bridge pod carries the labels `bridge` and `revision`. The runtime generation a pod runs is the value of
 * `runtimeGeneration`, not a label: a label that changes under a running pod would restart every counter.
 */
export const METRICS = {
  /** Gauge 1. Labels version (of the bridge), node (Node version). */
  info: "llmbridge_info",
  /** Gauge: the generation of the runtime file that is in force in this pod. */
  runtimeGeneration: "llmbridge_runtime_generation",
  /** Counter of finished requests, every outcome. Labels route, cache. */
  requests: "llmbridge_requests_total",
  /** Counter of failed requests. Labels route, domain. Every pair exists at 0 from start. */
  errors: "llmbridge_request_errors_total",
  /** Histogram, seconds, whole request. Labels route, cache. */
  requestSeconds: "llmbridge_request_seconds",
  /** Histogram, seconds to the first body byte sent to the client. Labels route, cache. */
  firstByteSeconds: "llmbridge_first_byte_seconds",
  /** Histogram, seconds that the bridge itself added (whole request less the wait for the upstream). Labels route, cache. */
  addedSeconds: "llmbridge_added_seconds",
  /** Gauge: requests and streams in progress, WebSocket connections apart. The demand that replicas are computed from. */
  inFlight: "llmbridge_in_flight",
  /** Gauge: open response streams. Label kind: sse | websocket. */
  openStreams: "llmbridge_open_streams",
  /** Gauge: requests that one pod takes at full utilisation (sum of the upstreams' maxConcurrencyPerPod). */
  capacity: "llmbridge_capacity",
  /** Counter of connections ended by the bridge before they were done. Label reason: drain-deadline | error. Exists at 0. */
  cutConnections: "llmbridge_cut_connections_total",
  /** Counter of WebSocket messages. Label direction: in | out. */
  messages: "llmbridge_messages_total",
  /** Gauge 0..1 over the last second. Label isolate: main | worker-N. */
  eventLoopUtilization: "llmbridge_event_loop_utilization",
  /** Gauges, bytes. Label isolate. */
  heapLimit: "llmbridge_heap_limit_bytes",
  heapUsed: "llmbridge_heap_used_bytes",
  heapAfterMajorGc: "llmbridge_heap_after_major_gc_bytes",
  /** Counter, seconds in garbage collection. Labels isolate, kind: minor | major | incremental | weak. Exists at 0. */
  gcSeconds: "llmbridge_gc_seconds_total",
  /** Gauges per pool. Label pool: postgres | redis-cache | http-<upstream>. `limit` is the ceiling in force. */
  poolLimit: "llmbridge_pool_limit",
  poolSize: "llmbridge_pool_size",
  poolIdle: "llmbridge_pool_idle",
  poolWaiting: "llmbridge_pool_waiting",
  /** Histogram, seconds waited for a pooled connection. Label pool. */
  poolAcquireSeconds: "llmbridge_pool_acquire_seconds",
  /** Counter. Labels pool, result: hit (an idle connection was there) | miss. */
  poolAcquires: "llmbridge_pool_acquires_total",
  /** Gauge: worker threads running / the cap they may grow to. */
  workers: "llmbridge_workers",
  workerCap: "llmbridge_worker_cap",
  /** Gauge 0..1: busy share of each worker thread over the last seconds. Label worker. */
  workerUtilization: "llmbridge_worker_utilization",
  /** Gauge: jobs waiting for a worker; histogram: seconds they waited / ran. Label task on both histograms (Prometheus uses `job` itself). */
  workerQueue: "llmbridge_worker_queue",
  workerWaitSeconds: "llmbridge_worker_wait_seconds",
  workerJobSeconds: "llmbridge_worker_job_seconds",
  /** Counter. Labels tier: memory | redis, result: hit | miss | error. */
  cacheLookups: "llmbridge_cache_lookups_total",
  cacheBytes: "llmbridge_cache_bytes",
  cacheEntries: "llmbridge_cache_entries",
  /** Counter of responses from upstreams. Labels upstream, code (status class "2xx".. or "error"). */
  upstreamResponses: "llmbridge_upstream_responses_total",
  /** Gauge 1 while the pod drains. */
  draining: "llmbridge_draining",
  /** Gauge, Unix time in seconds: since when what a mounted Secret holds is in force. Label secret (its name); on the next two as well. */
  secretReadSeconds: "llmbridge_secret_read_seconds",
  /** Counter: how often a mounted Secret was re-read with other content. Exists at 0. */
  secretChanges: "llmbridge_secret_changes_total",
  /** Gauge: 1 while a mounted Secret holds what cannot be used, so that what it held before stays in force. */
  secretRefused: "llmbridge_secret_refused",
  /** Counter of usage records. Label result: written | dropped. */
  usageRecords: "llmbridge_usage_records_total",
} as const;

/** From prom-client's default metrics, which the bridge exports too. */
export const PROCESS_METRICS = {
  cpuSeconds: "process_cpu_seconds_total",
  residentBytes: "process_resident_memory_bytes",
} as const;

export const ROUTE_LABELS = ["chat", "embeddings", "models", "agents"] as const;
export type RouteLabel = (typeof ROUTE_LABELS)[number];

/** Result of the cache for a request: `off` where the request cannot be cached. */
export const CACHE_LABELS = ["hit", "miss", "off"] as const;
export type CacheLabel = (typeof CACHE_LABELS)[number];

/**
 * Whose fault an error is. Only `bridge` gates a rollout.
 * bridge: this process failed (exception, queue or pool exhausted, own time-out), or its configuration is broken (an upstream's url that
 *   leads to no API or to a host that does not exist, a certificate that is not accepted, credentials that are refused).
 * upstream: the model answered 429/5xx, broke off, or exceeded a time-out meant for it.
 * client: a 4xx the caller earned, or the caller went away.
 */
export const FAULT_DOMAINS = ["bridge", "upstream", "client"] as const;
export type FaultDomain = (typeof FAULT_DOMAINS)[number];
