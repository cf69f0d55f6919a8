/** Where a bridge pod listens and what it answers; the operator probes, scrapes and routes by these. */

/** Container port names and numbers. `traffic` takes clients; `admin` serves health, status and metrics. */
export const PORTS = { traffic: 8080, admin: 9464 } as const;

/**
 * Paths of the admin port. `health` and `apiHealth` are also answered on the traffic port.
 * `live`: the process answers (200 until exit). `ready`: 200 only while new requests are wanted (503 when starting or draining).
 */
export const PATHS = {
  health: "/health",
  apiHealth: "/api/health",
  live: "/livez",
  ready: "/readyz",
  status: "/api/status",
  metrics: "/metrics",
  apiMetrics: "/api/metrics",
  optimization: "/optimization",
  alerts: "/api/alerts",
  cacheStats: "/api/cache/stats",
  poolStats: "/api/pool/stats",
} as const;

/** OpenAI-compatible routes of the traffic port, and the WebSocket endpoint for agents. */
export const ROUTES = {
  chat: "/v1/chat/completions",
  embeddings: "/v1/embeddings",
  models: "/v1/models",
  agents: "/v1/agents",
} as const;

/** Response headers by which clients and tests see who answered. */
export const HEADERS = {
  revision: "x-llmbridge-revision",
  cache: "x-llmbridge-cache",
  requestId: "x-request-id",
  /** The caller's tenant; part of every cache key. Without it the hash of the Authorization header is used. */
  tenant: "x-llmbridge-tenant",
} as const;

/** Where files are mounted in the bridge container. Directories are mounted whole (never subPath), so kubelet refreshes them. */
export const MOUNTS = {
  config: "/etc/llmbridge/config",
  runtime: "/etc/llmbridge/runtime",
  secrets: "/etc/llmbridge/secrets",
  tmp: "/tmp",
} as const;

/** File names inside the mounts: static configuration (immutable per revision) and runtime numbers (hot). */
export const FILES = { config: "config.json", runtime: "runtime.json" } as const;

/** WebSocket close code and reason that mean "come back on a new connection": a notice, not a cut (RFC 6455 §7.4.1: 1012 Service Restart). */
export const RECONNECT_CLOSE = { code: 1012, reason: "reconnect" } as const;
