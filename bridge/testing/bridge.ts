import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { CONFIG_VERSION, type RuntimeConfig } from "../../contract/config.ts";
import { type Bridge, startBridge } from "../bridge.ts";
import { readSettings } from "../settings.ts";

export interface UpstreamSpec {
  readonly name?: string;
  readonly protocol?: "OpenAI" | "Ollama";
  readonly url: string;
  readonly models?: readonly string[];
  readonly maxConcurrency?: number;
  readonly token?: string;
  readonly timeouts?: Partial<Record<"connectMs" | "firstByteMs" | "idleMs", number>>;
}

export interface FilesSpec {
  readonly upstreams: readonly UpstreamSpec[];
  readonly runtime?: Partial<RuntimeConfig>;
  readonly cacheTtlMs?: number;
  /** Addresses of Redis and Postgres; without one there is none. */
  readonly redisUrl?: string;
  readonly postgresUrl?: string;
  readonly bodyBytes?: number;
  /** Worker threads at most. Default 0. */
  readonly workersCap?: number;
}

export interface MountedFiles {
  readonly root: string;
  readonly env: Record<string, string>;
  /** Writes a new runtime file the way kubelet does. */
  writeRuntime(runtime: Partial<RuntimeConfig> | string): void;
  writeToken(upstream: string, token: string): void;
  remove(): void;
}

/** A directory as kubelet mounts it: files are links through `..data`, which is swapped as a whole. */
function mount(directory: string, files: Record<string, string>): void {
  mkdirSync(directory, { recursive: true });
  const version = `..${randomUUID()}`;
  mkdirSync(join(directory, version));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, version, name), text);
    try {
      symlinkSync(join("..data", name), join(directory, name));
    } catch {
      // The link is there from the version before.
    }
  }
  symlinkSync(version, join(directory, "..next"));
  renameSync(join(directory, "..next"), join(directory, "..data"));
}

/** Writes the files of a bridge into a directory of their own. */
export function writeFiles(spec: FilesSpec): MountedFiles {
  const root = mkdtempSync(join(tmpdir(), "bridge-"));
  const names = spec.upstreams.map((upstream, index) => upstream.name ?? `up${index}`);
  const secret = (name: string): string => join(root, "secrets", name);
  const base: RuntimeConfig = {
    version: CONFIG_VERSION,
    generation: 1,
    postgresConnections: 0,
    redisConnections: 0,
    httpConnections: Object.fromEntries(names.map((name) => [name, 50])),
    idleHttpConnections: 50,
    workers: 0,
    cacheBytes: 1024 * 1024,
    maxConnectionAgeMs: 0,
    maxAgentConnectionAgeMs: 0,
    drain: { settleMs: 0, deadlineMs: 50 },
    ...spec.runtime,
  };
  mount(join(root, "config"), {
    "config.json": JSON.stringify({
      version: CONFIG_VERSION,
      bridge: "chat",
      namespace: "ai",
      revision: "abc123",
      upstreams: spec.upstreams.map((upstream, index) => ({
        name: names[index],
        protocol: upstream.protocol ?? "OpenAI",
        url: upstream.url,
        models: upstream.models ?? [],
        maxConcurrency: upstream.maxConcurrency ?? 50,
        ...(upstream.token === undefined ? {} : { tokenFile: join(secret(names[index] ?? ""), "token") }),
        timeouts: { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, ...upstream.timeouts },
      })),
      cache: {
        ttlMs: spec.cacheTtlMs ?? 0,
        ...(spec.redisUrl === undefined ? {} : { redisUrlFile: join(secret("redis"), "url") }),
      },
      ...(spec.postgresUrl === undefined ? {} : { postgres: { urlFile: join(secret("postgres"), "url") } }),
      workers: { cap: spec.workersCap ?? 0, heapMiB: 64 },
      limits: { bodyBytes: spec.bodyBytes ?? 1024 * 1024, requestMs: 60_000 },
    }),
  });
  mount(join(root, "runtime"), { "runtime.json": JSON.stringify(base) });
  if (spec.redisUrl !== undefined) mount(secret("redis"), { url: spec.redisUrl });
  if (spec.postgresUrl !== undefined) mount(secret("postgres"), { url: spec.postgresUrl });
  for (const [index, upstream] of spec.upstreams.entries()) {
    if (upstream.token !== undefined) mount(secret(names[index] ?? ""), { token: upstream.token });
  }
  return {
    root,
    env: {
      POD_NAME: "chat-0",
      CONFIG_DIR: join(root, "config"),
      RUNTIME_DIR: join(root, "runtime"),
      LISTEN_HOST: "127.0.0.1",
      TRAFFIC_PORT: "0",
      ADMIN_PORT: "0",
      LOG_LEVEL: "silent",
      FILE_POLL_MS: "60000",
    },
    writeRuntime(runtime) {
      const text = typeof runtime === "string" ? runtime : JSON.stringify({ ...base, ...runtime });
      mount(join(root, "runtime"), { "runtime.json": text });
    },
    writeToken: (upstream, token) => mount(secret(upstream), { token }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface RunningBridge {
  readonly url: string;
  readonly adminUrl: string;
  readonly webSocketUrl: string;
  readonly files: MountedFiles;
  readonly bridge: Bridge;
  /** Value of a series of `/metrics`, by its name and the labels besides bridge and revision; undefined where there is none. */
  metric(name: string, labels?: Record<string, string>): Promise<number | undefined>;
  close(): Promise<void>;
}

/** A bridge in this process, on ports of its own. */
export async function runBridge(spec: FilesSpec): Promise<RunningBridge> {
  const files = writeFiles(spec);
  let ids = 0;
  const bridge = await startBridge({
    settings: readSettings(files.env),
    version: "0.0.0",
    log: pino({ level: process.env.LOG_LEVEL ?? "silent" }),
    env: {},
    now: Date.now,
    random: () => 0.5,
    newId: () => `id-${ids++}`,
    newEpoch: randomUUID,
  });
  const adminUrl = `http://127.0.0.1:${bridge.adminPort}`;
  return {
    url: `http://127.0.0.1:${bridge.trafficPort}`,
    webSocketUrl: `ws://127.0.0.1:${bridge.trafficPort}`,
    adminUrl,
    files,
    bridge,
    async metric(name, labels = {}) {
      const text = await (await fetch(`${adminUrl}/metrics`)).text();
      return readMetric(text, name, labels);
    },
    async close() {
      await bridge.stop();
      files.remove();
    },
  };
}

export function readMetric(text: string, name: string, labels: Record<string, string>): number | undefined {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  for (const line of text.split("\n")) {
    const series = line.slice(0, line.lastIndexOf(" "));
    if (series !== name && !series.startsWith(`${name}{`)) continue;
    if (wanted.every((label) => series.includes(label))) return Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return undefined;
}
