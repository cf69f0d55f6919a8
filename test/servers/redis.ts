import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type ServerProcess, startProcess } from "./process.ts";

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Stops answering without closing connections; resolves when it stands still. */
  pause(): Promise<void>;
  /** Goes on. */
  resume(): void;
  /** Ends it and forgets all data; `start` serves again on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** Starts a `redis-server` (Debian: redis-server) that keeps nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const host = options.host ?? "127.0.0.1";
  const port = options.port ?? (await freePort(host));
  const folder = await mkdtemp(join(tmpdir(), "llmbridge-redis-"));
  let server: ServerProcess | undefined;

  const start = async () => {
    server = await startProcess({
      command: "redis-server",
      args: [
        ...["--port", String(port), "--bind", host, "--dir", folder],
        ...["--save", "", "--appendonly", "no", "--protected-mode", "no"],
      ],
      ready: /Ready to accept connections/,
    });
  };
  await start();
  return {
    host,
    port,
    url: `redis://${host}:${port}`,
    pause: async () => server?.pause(),
    resume: () => server?.resume(),
    kill: async () => server?.stop(0),
    start,
    async stop() {
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
