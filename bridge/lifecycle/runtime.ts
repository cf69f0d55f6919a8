import type { RuntimeConfig } from "../../contract/config.ts";

/** A part of the bridge that follows the runtime file. Resolves when the new numbers are in force, lowered ceilings included. */
export type RuntimePart = (runtime: RuntimeConfig) => void | Promise<void>;

export interface RuntimeState {
  /** The numbers last given to the parts. */
  readonly current: RuntimeConfig;
  /** The newest generation that is completely in force; 0 before the first. */
  readonly confirmed: number;
  /** Why the newest file was refused; undefined while it was not. */
  readonly problem: string | undefined;
  /** Gives new numbers to every part. Resolves when they are in force or newer ones have overtaken them. */
  apply(runtime: RuntimeConfig): Promise<void>;
  /** Keeps the numbers in force and remembers why the newer ones were refused. */
  refuse(problem: string): void;
}

export interface RuntimeStateOptions {
  readonly first: RuntimeConfig;
  readonly parts: readonly RuntimePart[];
  /**
   * Called once per generation, when all of it is in force. The operator frees what a lower ceiling gives up only after
   * this, so it must not come early.
   */
  readonly onConfirmed: (generation: number) => void;
  readonly onError: (error: Error) => void;
}

/** Applies runtime files to the parts of the bridge. The first one counts as applied only when `apply` was called with it. */
export function createRuntimeState(options: RuntimeStateOptions): RuntimeState {
  let current = options.first;
  let confirmed = 0;
  let problem: string | undefined;
  let sequence = 0;

  return {
    get current() {
      return current;
    },
    get confirmed() {
      return confirmed;
    },
    get problem() {
      return problem;
    },
    async apply(runtime) {
      const mine = ++sequence;
      current = runtime;
      problem = undefined;
      try {
        await Promise.all(options.parts.map((part) => part(runtime)));
      } catch (error) {
        options.onError(error as Error);
        return;
      }
      // A file that was overtaken is never confirmed: its ceilings are not the ones in force.
      if (mine !== sequence) return;
      confirmed = runtime.generation;
      options.onConfirmed(runtime.generation);
    },
    refuse(reason) {
      problem = reason;
    },
  };
}
