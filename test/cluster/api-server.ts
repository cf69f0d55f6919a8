import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import type { Progress } from "../../tools/setup/progress.ts";
import { buildTools, type ToolPaths } from "../../tools/setup/tools.ts";
import { freePort } from "../servers/free-port.ts";
import { apiClient } from "./api-client.ts";
import { demandAlive, logFile, type Running, startComponent, stopComponent } from "./component.ts";
import * as plane from "./control-plane.ts";
import { Authority } from "./pki.ts";
import { identify, isAlive, killOwned, type ProcessId } from "./processes.ts";
import { apiReady } from "./start.ts";

/** etcd and an API server of their own for one suite: no node, no controllers, nothing else. */
export interface ApiServer {
  readonly kubeconfigPath: string;
  readonly url: string;
  readonly kubectlPath: string;
  readonly auditLogPath: string;
  /** Ends the API server as a crash would; etcd keeps its data. */
  stopServer(): Promise<void>;
  /** Starts it again on the same port, and waits until it is ready. */
  startServer(): Promise<void>;
  /** Ends both and removes their folder. */
  down(): Promise<void>;
}

export interface ApiServerOptions {
  readonly progress: Progress;
  readonly env?: NodeJS.ProcessEnv;
  readonly extraFlags?: readonly string[];
  /** The process with which it ends, should nobody end it. Default: this one. */
  readonly owner?: ProcessId;
}

/** Below the cache, one folder for each. */
const FOLDER = "api-servers";
const OWNER_FILE = "owner.json";

/**
 * Starts etcd and an API server on free ports of the loopback, ready in about 3 s; several may run at once.
 * `KUBEBUILDER_ASSETS` is not needed: the binary is the cluster's, built when it is missing. What a suite that died
 * has left behind is removed by the next call.
 */
export async function apiServerUp(options: ApiServerOptions): Promise<ApiServer> {
  const cache = cacheRoot(options.env ?? process.env);
  const tools = await buildTools(cache, options.progress, ["kubestack"]);
  await removeAbandoned(cache);
  const all = join(cache, FOLDER);
  mkdirSync(all, { recursive: true });
  const folder = mkdtempSync(join(all, "a"));
  noteOwner(folder, options.owner);
  try {
    return await start(folder, tools, options.extraFlags ?? []);
  } catch (error) {
    await remove(folder);
    throw error;
  }
}

async function start(folder: string, tools: ToolPaths, extraFlags: readonly string[]): Promise<ApiServer> {
  const authority = new Authority(join(folder, "pki"));
  for (const path of [authority.folder, dirname(logFile(folder, "x")), join(folder, "bin")])
    mkdirSync(path, { recursive: true });
  await authority.create();
  await Promise.all([
    authority.createTokenKeys(),
    authority.issue({
      name: "apiserver",
      user: "kube-apiserver",
      addresses: ["DNS:localhost", "IP:127.0.0.1"],
    }),
    authority.issue({ name: "admin", user: "admin", group: "system:masters" }),
  ]);
  const address = "127.0.0.1";
  const spec: plane.ApiServerSpec = {
    folder,
    authority,
    tools,
    address,
    port: await freePort(address),
    etcdAddress: address,
    etcdPort: await freePort(address),
    etcdPeerPort: await freePort(address),
    serviceRange: "10.96.0.0/16",
    // The loopback is no address that endpoints may have, so the server does not publish its own.
    extraFlags: ["--endpoint-reconciler-type=none", ...extraFlags],
  };
  const url = `https://${address}:${spec.port}`;
  const kubeconfigPath = join(folder, "kubeconfig");
  authority.writeKubeconfig(kubeconfigPath, "admin", url);
  plane.writeAuditPolicy(folder);
  const kubectlPath = join(folder, "bin", "kubectl");
  symlinkSync(tools.kubestack, kubectlPath);

  let server: Running | undefined;
  const startServer = async (): Promise<void> => {
    const started = await startComponent(plane.apiServer(spec), { owner: folder });
    server = started;
    const client = apiClient(kubeconfigPath);
    try {
      await apiReady(client, () => demandAlive(started, folder));
    } finally {
      await client.close();
    }
  };
  await startComponent(plane.etcd(spec), { owner: folder });
  await startServer();
  return {
    kubeconfigPath,
    url,
    kubectlPath,
    auditLogPath: plane.auditLogPath(folder),
    startServer,
    async stopServer() {
      if (server !== undefined) await stopComponent(server);
    },
    down: () => remove(folder),
  };
}

/** Ends a server that another process has started, and removes its folder. */
export async function removeApiServer({ kubeconfigPath }: Pick<ApiServer, "kubeconfigPath">): Promise<void> {
  await remove(dirname(kubeconfigPath));
}

/** Ends and removes the servers of processes that have ended without doing so. */
export async function removeAbandoned(cache: string): Promise<void> {
  const all = join(cache, FOLDER);
  if (!existsSync(all)) return;
  for (const name of readdirSync(all)) {
    const folder = join(all, name);
    const owner = ownerOf(folder);
    if (owner === undefined || isAlive(owner)) continue;
    await remove(folder);
  }
}

/** Notes in a folder the process with which what it stands for ends. Default: this one. */
export function noteOwner(folder: string, owner: ProcessId | undefined = identify(process.pid)): void {
  writeFileSync(join(folder, OWNER_FILE), JSON.stringify(owner));
}

/** As {@link noteOwner} wrote it. */
export function ownerOf(folder: string): ProcessId | undefined {
  const path = join(folder, OWNER_FILE);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ProcessId) : undefined;
}

async function remove(folder: string): Promise<void> {
  await killOwned(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
