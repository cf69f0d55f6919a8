import { METRICS } from "../../contract/metrics.ts";
import type { Series } from "./response.ts";
import type { SecretReading } from "./source.ts";

/** What one pod tells of the Secrets that it mounts; undefined where it tells of none, as bridges older than these series do. */
export function secretReadings(
  series: readonly Series[],
): Readonly<Record<string, SecretReading>> | undefined {
  const read: Record<string, { -readonly [Key in keyof SecretReading]: SecretReading[Key] }> = {};
  for (const { labels, samples } of series) {
    const value = samples.at(-1)?.value;
    const { secret, __name__: name } = labels;
    if (secret === undefined || value === undefined) continue;
    if (
      name !== METRICS.secretReadSeconds &&
      name !== METRICS.secretChanges &&
      name !== METRICS.secretRefused
    )
      continue;
    read[secret] ??= { changes: 0, refused: false };
    if (name === METRICS.secretReadSeconds) read[secret].sinceMs = Math.round(value * 1000);
    if (name === METRICS.secretChanges) read[secret].changes = value;
    if (name === METRICS.secretRefused) read[secret].refused = value > 0;
  }
  return Object.keys(read).length === 0 ? undefined : read;
}
