import { atMs } from "../clock.ts";

/**
 * How long a gateway may take from what the API server shows to what it does. Traefik collects changes for up to 2 s by default and reports a
 * generation as accepted before that; 5 s is also how long a pod that is told to end goes on accepting.
 */
const SETTLE_MS = 5_000;

/** When a gateway follows what was written, or taken, at a time. */
export function settled(time: string | undefined): number | undefined {
  const since = atMs(time);
  return since === undefined ? undefined : since + SETTLE_MS;
}
