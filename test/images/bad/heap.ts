// A version with a leak: from BAD_AFTER_MS (default 3,000) on it keeps 4 MiB of heap more every 50 ms, until V8 gives up.
import { setting, startBridge } from "./bridge.ts";

await startBridge();
const kept: number[][] = [];
setTimeout(
  () => {
    setInterval(() => kept.push(new Array<number>(512 * 1024).fill(kept.length + 0.5)), 50);
  },
  setting("BAD_AFTER_MS", 3_000),
);
