import { readFileSync } from "node:fs";
import type { SecretFiles } from "../metrics/secrets.ts";
import { type FileWatch, watchFile } from "./watch.ts";

export interface SecretFile {
  /** The secret without surrounding white space; empty string when the file is missing or empty. */
  current(): string;
  close(): void;
}

export interface SecretOptions {
  readonly path: string;
  readonly pollMs: number;
  /** Told of every content that comes into force, and of every one that does not. */
  readonly files?: SecretFiles;
  readonly onError: (error: Error) => void;
}

/** A mounted Secret whose value follows the file: a rotated token is used by the next request, with no restart. */
export function openSecret(options: SecretOptions): SecretFile {
  const { path, files } = options;
  let text = "";
  try {
    text = readFileSync(path, "utf8");
    files?.taken(path);
  } catch (error) {
    files?.refused(path);
    options.onError(error as Error);
  }
  let value = text.trim();
  const watched: FileWatch = watchFile(
    {
      path,
      pollMs: options.pollMs,
      onError(error) {
        files?.refused(path);
        options.onError(error);
      },
      onRecovered: () => files?.restored(path),
      onChange(changed) {
        const next = changed.trim();
        if (next === value) return files?.restored(path);
        value = next;
        files?.taken(path);
      },
    },
    text,
  );
  return { current: () => value, close: () => watched.close() };
}
