/** What a step answers when there was nothing to do. */
export const CACHED = "cached";

export interface Progress {
  /**
   * Runs one step and prints its line when it ends: the label, dots, and the seconds it took, or the short text that
   * the step returns (for example {@link CACHED}). A step that takes long says so every 30 seconds.
   */
  step<T>(label: string, run: () => Promise<T>, outcome?: (value: T) => string | undefined): Promise<T>;
  /** Prints a line that is no step. */
  note(text: string): void;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly nowMs: () => number;
  /** How many steps there will be; without it steps are not numbered. */
  readonly total?: number;
}

const LABEL_COLUMNS = 58;
const STILL_RUNNING_MS = 30_000;

/** Plain lines that survive a pipe: `[ 1/9] Kubernetes 1.35 from source ......... 12 s`. */
export function createProgress(options: ProgressOptions): Progress {
  const { write, nowMs, total } = options;
  let count = 0;

  const prefix = (index: number): string => {
    if (total === undefined) return "";
    const width = String(total).length;
    return `[${String(index).padStart(Math.max(width, 2))}/${total}] `;
  };

  return {
    note: (text) => write(`${text}\n`),
    async step(label, run, outcome) {
      const head = `${prefix(++count)}${label} `;
      const startMs = nowMs();
      const seconds = (): string =>
        `${Math.max(0, (nowMs() - startMs) / 1000).toFixed(nowMs() - startMs < 9950 ? 1 : 0)} s`;
      const ticker = setInterval(() => write(`${head}... still at it, ${seconds()}\n`), STILL_RUNNING_MS);
      ticker.unref();
      const line = (result: string): void => write(`${head.padEnd(LABEL_COLUMNS, ".")} ${result}\n`);
      try {
        const value = await run();
        line(outcome?.(value) ?? seconds());
        return value;
      } catch (error) {
        line(`failed after ${seconds()}`);
        throw error;
      } finally {
        clearInterval(ticker);
      }
    },
  };
}
