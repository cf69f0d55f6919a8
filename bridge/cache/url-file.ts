import { watchFile } from "../config/watch.ts";
import type { SecretFiles } from "../metrics/secrets.ts";

/** Where an address with credentials is read from, and who is told of changes. */
export interface UrlFileOptions {
  readonly path: string;
  /** Accepted schemes with the colon, e.g. `redis:`. */
  readonly protocols: readonly string[];
  /** Called with the first address and with every other one that the file comes to hold. */
  readonly onUrl: (url: string) => void;
  /** Called once per distinct problem; the sentence never contains the address. */
  readonly onProblem: (sentence: string) => void;
  /** Told of every address that comes into force, and of every content that does not. */
  readonly files?: SecretFiles | undefined;
  /** Time between two comparisons, beside the file system's own notices. Default 10,000. */
  readonly pollMs?: number;
}

export interface UrlFile {
  /** Reads now. */
  check(): Promise<void>;
  close(): void;
}

/**
 * Follows a file that holds one URL, such as a key of a mounted Secret.
 * A file that is missing or wrong leaves the last good address in force.
 */
export function followUrlFile(options: UrlFileOptions): UrlFile {
  const { path, files } = options;
  let current: string | undefined;
  const wanted = options.protocols.map((protocol) => `${protocol}//`).join(" or ");
  const watched = watchFile(
    {
      path,
      pollMs: options.pollMs ?? 10_000,
      onRecovered: () => files?.restored(path),
      onChange(content) {
        const text = content.trim();
        if (text === current) return files?.restored(path);
        if (!URL.canParse(text) || !options.protocols.includes(new URL(text).protocol)) {
          files?.refused(path);
          options.onProblem(
            `${path}: does not hold a URL that starts with ${wanted}; write one into the Secret.`,
          );
          return;
        }
        current = text;
        files?.taken(path);
        options.onUrl(text);
      },
      onError(error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown";
        files?.refused(path);
        options.onProblem(`${path}: cannot be read (${code}); mount the Secret's key there.`);
      },
    },
    undefined,
  );
  void watched.check();
  return watched;
}
