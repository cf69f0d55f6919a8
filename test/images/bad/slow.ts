// A version that is slow by itself: BAD_DELAY_MS (default 100) pass between the end of a request's body and its handling,
// so that its first byte is late by that much in the bridge's own histogram.
import { IncomingMessage } from "node:http";
import { setting, startBridge } from "./bridge.ts";

const delayMs = setting("BAD_DELAY_MS", 100);
const push = IncomingMessage.prototype.push;

IncomingMessage.prototype.push = function (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding) {
  // Only POST requests that clients sent to a server have a method here; the end of their body is `null`.
  if (chunk !== null || this.method !== "POST") return push.call(this, chunk, encoding);
  setTimeout(() => push.call(this, null), delayMs);
  return true;
};
await startBridge();
