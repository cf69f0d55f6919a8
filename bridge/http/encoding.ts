import type { Encoding } from "../workers/workers.ts";

/** In the order of ratio per microsecond at the levels used (zstd 3, brotli 4, gzip 1). */
const PREFERRED: readonly Encoding[] = ["zstd", "br", "gzip"];

/**
 * The encoding for an answer by the caller's Accept-Encoding (RFC 9110 §12.5.3): the one with the highest quality, ours
 * among equals; undefined where none of ours is accepted.
 */
export function chooseEncoding(accept: string | undefined): Encoding | undefined {
  if (accept === undefined || accept === "") return undefined;
  const quality = new Map<string, number>();
  for (const item of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";");
    const q = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("q="));
    const value = q === undefined ? 1 : Number(q.slice(2));
    quality.set(name.trim(), Number.isFinite(value) ? value : 0);
  }
  const any = quality.get("*") ?? 0;
  let best: Encoding | undefined;
  let bestQuality = 0;
  for (const encoding of PREFERRED) {
    const value = quality.get(encoding) ?? any;
    if (value > bestQuality) {
      best = encoding;
      bestQuality = value;
    }
  }
  return best;
}
