import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { identify, isAlive, type ProcessId } from "./processes.ts";
import { until } from "./until.ts";

/** A process, told from a later one of the same number. */
export const processId = z.object({ pid: z.number(), startTicks: z.number() });

/** The longest work under a lock is the first build of an image, with a cold cache on a busy machine. */
const PATIENCE_MS = 900_000;

export interface Lock {
  /** The file that stands for it; its folder is made. */
  readonly path: string;
  /** What its holder does, for who waits: "starting or stopping the cluster". */
  readonly doing: string;
  /** Told once, when somebody has to wait. Default: nobody. */
  readonly note?: (text: string) => void;
}

/** Runs `work` while no other process holds the lock; the lock of a holder that died is taken over. */
export async function withLock<T>(lock: Lock, work: () => Promise<T>): Promise<T> {
  const { path, doing, note } = lock;
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  await until(
    path,
    PATIENCE_MS,
    async () => {
      if (tryLock(path)) return undefined;
      const holder = lockHolder(path);
      if (holder === undefined || !isAlive(holder)) {
        rmSync(path, { force: true });
        return "the lock of a process that has ended";
      }
      if (!told) note?.(`Process ${holder.pid} is ${doing}; waiting for it.`);
      told = true;
      return `process ${holder.pid} holds it, ${doing}`;
    },
    100,
  );
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  // Linked into place with its content, so that nobody ever reads a lock that does not say yet who holds it.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function lockHolder(path: string): ProcessId | undefined {
  try {
    return processId.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
