import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

export interface WatchOptions {
  /** File to follow. Its directory is watched, because kubelet swaps a `..data` symlink and never writes the file itself. */
  readonly path: string;
  /** Comparing the content this often as well finds changes that the file system did not announce, in milliseconds. */
  readonly pollMs: number;
  /** Called with the new content, once per change of content. */
  readonly onChange: (text: string) => void;
  /** Called when the file can be read again and holds what it held before. */
  readonly onRecovered?: () => void;
  /** Called when the file cannot be read; the last content stays in force. */
  readonly onError: (error: Error) => void;
}

export interface FileWatch {
  /** Reads the file now and reports a change; resolves when that is done. */
  check(): Promise<void>;
  close(): void;
}

/** Wait after a notice, so that the several events of one symlink swap are read once. */
const SETTLE_MS = 20;

/**
 * Follows the content of a mounted file.
 * @param initial Content that is in force already; undefined reports the first reading as a change.
 */
export function watchFile(options: WatchOptions, initial: string | undefined): FileWatch {
  let content = initial;
  let closed = false;
  let failed = false;
  let reading: Promise<void> | undefined;
  let again = false;
  let watcher: FSWatcher | undefined;
  let settle: NodeJS.Timeout | undefined;

  const readOnce = async (): Promise<void> => {
    try {
      const text = await readFile(options.path, "utf8");
      const recovered = failed;
      failed = false;
      if (closed) return;
      if (text === content) {
        if (recovered) options.onRecovered?.();
        return;
      }
      content = text;
      options.onChange(text);
    } catch (error) {
      // Reported once per outage: the poll would repeat it for as long as it lasts.
      if (!closed && !failed) options.onError(error as Error);
      failed = true;
    }
  };

  const check = (): Promise<void> => {
    if (reading !== undefined) {
      again = true;
      return reading;
    }
    reading = (async () => {
      do {
        again = false;
        await readOnce();
      } while (again && !closed);
      reading = undefined;
    })();
    return reading;
  };

  const observe = (): void => {
    if (watcher !== undefined || closed) return;
    try {
      watcher = watch(dirname(options.path), { persistent: false }, () => {
        settle ??= setTimeout(() => {
          settle = undefined;
          void check();
        }, SETTLE_MS).unref();
      });
      watcher.on("error", () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      // The directory is not there (yet) or no watches are left: the poll below still finds changes, and tries again.
      watcher = undefined;
    }
  };

  observe();
  const poll = setInterval(() => {
    observe();
    void check();
  }, options.pollMs).unref();

  return {
    check,
    close() {
      closed = true;
      clearInterval(poll);
      clearTimeout(settle);
      watcher?.close();
    },
  };
}
