import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** What an interrupted run has to end. */
export interface Interruptible {
  /** Processes that run now. */
  readonly children: ReadonlySet<ChildProcess>;
  /** Ends what the processes have started and leave behind where they are ended from outside. */
  readonly takeDown: () => Promise<void>;
  readonly say: (line: string) => void;
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * On Ctrl-C or SIGTERM: ends the processes, then what they leave behind, then this process with the code that shells give such an end. Ended at once
 * it would leave clusters up, and the next run would take them for somebody's and leave them up too. A second signal ends it at once.
 */
export function endInOrder({ children, takeDown, say }: Interruptible): void {
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
    process.once(signal, async () => {
      say(`${signal}: ending what was started; once more to leave it as it is`);
      const ends = [...children].map((child) => once(child, "exit"));
      // A terminal's Ctrl-C has reached them already; another is no harm.
      for (const child of children) child.kill(signal);
      await Promise.all(ends);
      await takeDown();
      process.exit(SIGNALS[signal]);
    });
  }
}
