import { basename, dirname } from "node:path";
import type { Metrics } from "./registry.ts";

/** Who reads a file of a mounted Secret tells here what became of it. */
export interface SecretFiles {
  /** What the file holds is in force from now on. */
  taken(path: string): void;
  /** The file holds what is in force already, after it held something else. */
  restored(path: string): void;
  /** What the file holds cannot be used; what it held before stays in force. */
  refused(path: string): void;
}

/**
 * Makes it known since when this pod serves with what a mounted Secret holds, and nothing of the content: no digest either, since a digest of a
 * short password is as good as the password. kubelet swaps all files of a Secret at once, so one series stands for all its keys.
 * @param now Milliseconds since 1970.
 */
export function watchSecrets(
  metrics: Pick<Metrics, "secretReadSeconds" | "secretChanges" | "secretRefused">,
  now: () => number,
): SecretFiles {
  /** Whether the newest content is refused, by path. */
  const files = new Map<string, boolean>();
  const note = (path: string, isRefused: boolean): string => {
    files.set(path, isRefused);
    const secret = secretOf(path);
    const isAnyRefused = [...files].some(([other, refused]) => refused && secretOf(other) === secret);
    metrics.secretRefused.set({ secret }, isAnyRefused ? 1 : 0);
    return secret;
  };
  const inForce = new Set<string>();
  return {
    taken(path) {
      const secret = note(path, false);
      metrics.secretReadSeconds.set({ secret }, now() / 1000);
      metrics.secretChanges.inc({ secret }, inForce.has(path) ? 1 : 0);
      inForce.add(path);
    },
    restored: (path) => void note(path, false),
    refused(path) {
      metrics.secretChanges.inc({ secret: note(path, true) }, 0);
    },
  };
}

/** One directory a Secret: `<mount>/<name of the Secret>/<key>`. */
const secretOf = (path: string): string => basename(dirname(path));
