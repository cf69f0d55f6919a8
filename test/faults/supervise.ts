import type { ServerProcess } from "../servers/process.ts";

/** A process that is followed by another each time that it ends, as kubelet does. */
export interface Supervised {
  readonly started: Promise<unknown>;
  /** Ends the present process at once, as the kernel would. */
  kill(): void;
  /** Asks it to end in order. */
  end(): void;
  /** Stops it; `resume` lets it go on, and it may then end by itself. */
  pause(): Promise<void>;
  resume(): void;
  /** From now on it may end by itself, since it cannot do what it is there for. */
  mayEnd(): void;
  /** How often it ended without being told, made or allowed to. */
  ownEnds(): number;
  stop(): Promise<void>;
}

export function supervise(start: () => Promise<ServerProcess>): Supervised {
  let process: ServerProcess | undefined;
  /** Those that are expected to end. */
  const ending = new Set<ServerProcess | undefined>();
  let ownEnds = 0;
  let isOver = false;
  const { promise: started, resolve, reject } = Promise.withResolvers<void>();
  const running = (async () => {
    while (!isOver) {
      try {
        process = await start();
      } catch (error) {
        if (process === undefined) return reject(error);
        if (!ending.has(process)) ownEnds++;
        continue;
      }
      resolve();
      // A story may end while a process that was killed is still being replaced.
      if (isOver) await process.stop();
      await process.exited;
      if (!isOver && !ending.has(process)) ownEnds++;
    }
  })();
  const told = (signal: NodeJS.Signals) => {
    ending.add(process);
    process?.signal(signal);
  };
  return {
    started,
    kill: () => told("SIGKILL"),
    end: () => told("SIGTERM"),
    async pause() {
      ending.add(process);
      await process?.pause();
    },
    resume: () => process?.resume(),
    mayEnd: () => void ending.add(process),
    ownEnds: () => ownEnds,
    async stop() {
      isOver = true;
      await process?.stop();
      await running;
    },
  };
}
