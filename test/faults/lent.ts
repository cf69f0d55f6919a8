import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ApiServer, noteOwner, ownerOf, removeApiServer } from "../cluster/api-server.ts";
import type { ProcessId } from "../cluster/processes.ts";
import { bridgeApi } from "../conformance/bridge-api.ts";

/** What of an API server another process can use. */
export type LentServer = Omit<ApiServer, "stopServer" | "startServer" | "down">;

/** Names the run's folder to the processes in which its suites run. */
const RUN = "LLMBRIDGE_TEST_RUN";
/** One of the suites that run at once, by vitest; no two of them have the same. */
const SEAT = "VITEST_POOL_ID";
const ADDRESS = "address.json";

/**
 * Lets the suites of a run use what earlier ones have started: starting a control plane takes five seconds of both processors, and thirty suites
 * want one that differs in nothing. Each of the suites that run at once has its own, so a suite is alone with what it was lent; it finds what earlier
 * ones have left, and keeps to namespaces of its own.
 * @returns ends all that was lent; to be called by the process in which the run began
 */
export function beginLending(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-run-"));
  noteOwner(folder);
  process.env[RUN] = folder;
  return async () => {
    delete process.env[RUN];
    for (const seat of readdirSync(folder)) {
      const server = recorded(join(folder, seat, "server"));
      if (server) await removeApiServer(server);
    }
    rmSync(folder, { recursive: true });
  };
}

/** A folder that this suite is lent, with what earlier ones have left in it; undefined where no run lends. */
export function lentFolder(name: string): string | undefined {
  const run = process.env[RUN];
  const seat = process.env[SEAT];
  if (run === undefined || seat === undefined) return undefined;
  const folder = join(run, `seat-${seat}`, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * The server that this suite is lent: the one that an earlier suite has left, or a new one; undefined where no run lends.
 * @param start starts one that ends with the given process
 */
export async function lentServer(
  start: (owner: ProcessId | undefined) => Promise<LentServer>,
): Promise<LentServer | undefined> {
  const place = lentFolder("server");
  if (place === undefined) return undefined;
  const left = recorded(place);
  if (left && (await answers(left))) return left;
  if (left) await removeApiServer(left);
  const { kubeconfigPath, url, kubectlPath, auditLogPath } = await start(ownerOf(process.env[RUN] ?? ""));
  const server: LentServer = { kubeconfigPath, url, kubectlPath, auditLogPath };
  writeFileSync(join(place, ADDRESS), JSON.stringify(server));
  return server;
}

function recorded(place: string): LentServer | undefined {
  const file = join(place, ADDRESS);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LentServer) : undefined;
}

async function answers({ kubeconfigPath }: LentServer): Promise<boolean> {
  if (!existsSync(dirname(kubeconfigPath))) return false;
  const api = bridgeApi(kubeconfigPath);
  try {
    await api.request("GET", "/version");
    return true;
  } catch {
    return false;
  } finally {
    await api.close();
  }
}
