// A version with a leak outside the heap: from BAD_AFTER_MS (default 3,000) on it keeps 16 MiB of buffers more every 50 ms,
// until the kernel ends it at the container's limit.
import { setting, startBridge } from "./bridge.ts";

await startBridge();
const kept: Buffer[] = [];
setTimeout(
  () => {
    setInterval(() => kept.push(Buffer.alloc(16 * 2 ** 20, 1)), 50);
  },
  setting("BAD_AFTER_MS", 3_000),
);
