// A version that needs more memory than it should: it holds buffers of BAD_MEMORY_SHARE (default 0.6) of what the process
// needs without them, and tops them up as that grows.
import { setting, startBridge } from "./bridge.ts";

const CHECK_EVERY_MS = 500;
const STEP_BYTES = 4 * 2 ** 20;
const share = setting("BAD_MEMORY_SHARE", 0.6);
const kept: Buffer[] = [];

await startBridge();
setInterval(() => {
  const ownBytes = process.memoryUsage.rss() - kept.length * STEP_BYTES;
  // Filled, because untouched pages are not resident.
  while (kept.length * STEP_BYTES < ownBytes * share) kept.push(Buffer.alloc(STEP_BYTES, 1));
}, CHECK_EVERY_MS);
