import { execFile } from "node:child_process";
import { access, chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { type ServerProcess, standStill, startProcess } from "./process.ts";

const run = promisify(execFile);

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** URL of the superuser `postgres`, database `postgres`, no password. */
  readonly url: string;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it; `start` serves the same data again on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface PostgresServerOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Networks whose clients are let in without a password. Default 127.0.0.1/32. */
  readonly trust?: readonly string[];
  /** Default 50. */
  readonly maxConnections?: number;
}

/**
 * Starts a throw-away Postgres (Debian: postgresql). It refuses to run as root, so for root it runs as the package's user
 * `postgres`. Durability is off.
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const host = options.host ?? "127.0.0.1";
  const port = options.port ?? (await freePort(host));
  const folder = await mkdtemp(join(tmpdir(), "llmbridge-postgres-"));
  const data = join(folder, "data");
  const bin = await binaries();
  const asUser = await dropRoot(folder);

  const [initdb = "", ...initArgs] = [...asUser, join(bin, "initdb")];
  const initOptions = [
    "-D",
    data,
    "-U",
    "postgres",
    "--auth=trust",
    "--no-sync",
    "--locale=C",
    "--encoding=UTF8",
  ];
  await run(initdb, [...initArgs, ...initOptions]);
  const rules = (options.trust ?? []).map((network) => `host all all ${network} trust`).join("\n");
  const [sh = "", ...shArgs] = [...asUser, "sh"];
  await run(sh, [...shArgs, "-c", 'printf "%s\\n" "$1" >> "$2"', "sh", rules, join(data, "pg_hba.conf")]);

  let server: ServerProcess | undefined;
  const start = async () => {
    const settings = {
      listen_addresses: host,
      port,
      unix_socket_directories: folder,
      max_connections: options.maxConnections ?? 50,
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
      shared_buffers: "16MB",
    };
    const [command = "", ...args] = [...asUser, join(bin, "postgres"), "-D", data];
    server = await startProcess({
      command,
      args: [...args, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      ready: /ready to accept connections/,
    });
  };
  await start();

  /** Backends do the work in processes of their own, so all of them are stopped or continued. */
  const forAll = async (act: (pid: number) => unknown) => {
    if (server === undefined) return;
    const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(server.pid)]);
    for (const pid of [server.pid, ...stdout.split("\n").map(Number).filter(Boolean)]) await act(pid);
  };
  return {
    host,
    port,
    url: `postgres://postgres@${host}:${port}/postgres`,
    pause: () => forAll(standStill),
    resume: () => forAll((pid) => process.kill(pid, "SIGCONT")),
    async kill() {
      server?.signal("SIGINT"); // fast shutdown: does not wait for clients
      await server?.exited;
    },
    start,
    async stop() {
      server?.signal("SIGCONT");
      server?.signal("SIGINT");
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Debian keeps the server's binaries off the PATH, in one folder a major version. */
async function binaries(): Promise<string> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => [] as string[]);
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    const bin = join(root, version, "bin");
    if (
      await access(join(bin, "initdb")).then(
        () => true,
        () => false,
      )
    )
      return bin;
  }
  for (const bin of (process.env.PATH ?? "").split(":")) {
    if (
      await access(join(bin, "initdb")).then(
        () => true,
        () => false,
      )
    )
      return bin;
  }
  throw new Error(`${root}: no Postgres server is installed; run "apt-get install postgresql".`);
}

/** The words to put before a command so that it does not run as root; gives `folder` to that user. */
async function dropRoot(folder: string): Promise<string[]> {
  if (userInfo().uid !== 0) return [];
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, "postgres"])).stdout)),
  );
  if (uid === undefined || gid === undefined) throw new Error("postgres: no such user; install postgresql.");
  await chown(folder, uid, gid);
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
}
