import { watchFile } from "../config/watch.ts";
import type { SecretFiles } from "../metrics/secrets.ts";

/** Where an address with credentials is read from, and who is told of changes. */
export interface UrlFileOptions {
  readonly path: string;
  /** Accepted schemes with the colon, e.g. `redis:`. */
  readonly protocols: readonly string[];
  /** Called with the first address and with every other one that the file comes to hold. Every escape in it is text in UTF-8. */
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
        const url = escaped(text);
        if (!isDecodable(url)) {
          files?.refused(path);
          options.onProblem(
            `${path}: holds a % whose two digits are no part of a text in UTF-8; write %25 for the sign itself.`,
          );
          return;
        }
        current = text;
        files?.taken(path);
        options.onUrl(url);
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

/**
 * The address with each % that begins no escape written as one. Passwords hold such a sign, the URL standard takes it for itself,
 * and clients differ: ioredis throws, and pg reads it but then takes the escapes beside it for plain text.
 */
function escaped(url: string): string {
  return url.replace(/%(?![0-9a-f]{2})/gi, "%25");
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}
