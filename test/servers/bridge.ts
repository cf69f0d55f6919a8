import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BridgeConfig, CONFIG_VERSION, type RuntimeConfig } from "../../contract/config.ts";
import { FILES } from "../../contract/endpoints.ts";
import { type ServerProcess, startProcess } from "./process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "bridge/main.ts");

export interface BridgeProcessOptions {
  /** Base URL of the OpenAI-compatible upstream, `/v1` included where it has one. */
  readonly upstreamUrl: string;
  /** File of the bearer token for it. */
  readonly tokenFile?: string;
  /** Default `rev-1`. */
  readonly revision?: string;
  readonly config?: Partial<BridgeConfig>;
  readonly runtime?: Partial<RuntimeConfig>;
  /** What is started instead of the bridge's main.ts; it finds main.ts in BRIDGE_MAIN. */
  readonly entry?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Node's own options, e.g. `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
  /** Port of the traffic server. Default: a free one. */
  readonly trafficPort?: number;
  /** The line that says that it serves. Default: the bridge's. */
  readonly ready?: RegExp;
}

export interface BridgeProcess extends ServerProcess {
  /** `http://host:port` of the traffic port. */
  readonly url: string;
  /** The same of the admin port. */
  readonly adminUrl: string;
  /** Replaces the runtime file; `generation` has to rise. */
  setRuntime(runtime: Partial<RuntimeConfig>): Promise<void>;
  /** The metrics page. */
  metrics(): Promise<string>;
}

/** Runs a real bridge from the sources as a process of its own, with files in a folder that goes away with it. */
export async function startBridgeProcess(options: BridgeProcessOptions): Promise<BridgeProcess> {
  const folder = await mkdtemp(join(tmpdir(), "llmbridge-bridge-"));
  const config: BridgeConfig = {
    version: CONFIG_VERSION,
    bridge: "test",
    namespace: "test",
    revision: options.revision ?? "rev-1",
    upstreams: [
      {
        name: "model",
        protocol: "OpenAI",
        url: options.upstreamUrl,
        ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
        models: [],
        maxConcurrency: 500,
        timeouts: { connectMs: 2_000, firstByteMs: 30_000, idleMs: 30_000 },
      },
    ],
    cache: { ttlMs: 60_000 },
    workers: { cap: 0, heapMiB: 64 },
    limits: { bodyBytes: 2 ** 20, requestMs: 120_000 },
    ...options.config,
  };
  let runtime: RuntimeConfig = {
    version: CONFIG_VERSION,
    generation: 1,
    postgresConnections: 0,
    redisConnections: 0,
    httpConnections: Object.fromEntries(config.upstreams.map(({ name }) => [name, 500])),
    idleHttpConnections: 64,
    workers: 0,
    cacheBytes: 16 * 2 ** 20,
    maxConnectionAgeMs: 0,
    maxAgentConnectionAgeMs: 0,
    drain: { settleMs: 500, deadlineMs: 10_000 },
    ...options.runtime,
  };
  const runtimeFile = join(folder, "runtime", FILES.runtime);
  await mkdir(join(folder, "config"));
  await mkdir(join(folder, "runtime"));
  await writeFile(join(folder, "config", FILES.config), JSON.stringify(config));
  await writeFile(runtimeFile, JSON.stringify(runtime));

  let server: ServerProcess;
  try {
    server = await startProcess({
      command: process.execPath,
      args: [...(options.nodeOptions ?? []), options.entry ?? MAIN],
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        BRIDGE_MAIN: MAIN,
        CONFIG_DIR: join(folder, "config"),
        RUNTIME_DIR: join(folder, "runtime"),
        LISTEN_HOST: "127.0.0.1",
        TRAFFIC_PORT: String(options.trafficPort ?? 0),
        ADMIN_PORT: "0",
        ...options.env,
      },
      ready: options.ready ?? /"msg":"ready"/,
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  server.exited.then(() => rm(folder, { recursive: true, force: true }));
  const { trafficPort, adminPort } = JSON.parse(server.readyLine) as {
    trafficPort: number;
    adminPort: number;
  };
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  return {
    ...server,
    url: `http://127.0.0.1:${trafficPort}`,
    adminUrl,
    async setRuntime(changes) {
      runtime = { ...runtime, ...changes };
      await writeFile(`${runtimeFile}.next`, JSON.stringify(runtime));
      await rename(`${runtimeFile}.next`, runtimeFile);
    },
    metrics: async () => (await fetch(`${adminUrl}/metrics`)).text(),
  };
}
