import { readFileSync } from "node:fs";
import { type FileWatch, watchFile } from "./watch.ts";

export interface SecretFile {
  /** The secret without surrounding white space; empty string when the file is missing or empty. */
  current(): string;
  close(): void;
}

export interface SecretOptions {
  readonly path: string;
  readonly pollMs: number;
  /** Called after the value changed. */
  readonly onChange?: (value: string) => void;
  readonly onError: (error: Error) => void;
}

/** A mounted Secret whose value follows the file: a rotated token is used by the next request, with no restart. */
export function openSecret(options: SecretOptions): SecretFile {
  let text = "";
  try {
    text = readFileSync(options.path, "utf8");
  } catch (error) {
    options.onError(error as Error);
  }
  let value = text.trim();
  const watched: FileWatch = watchFile(
    {
      path: options.path,
      pollMs: options.pollMs,
      onError: options.onError,
      onChange(changed) {
        const next = changed.trim();
        if (next === value) return;
        value = next;
        options.onChange?.(next);
      },
    },
    text,
  );
  return { current: () => value, close: () => watched.close() };
}
