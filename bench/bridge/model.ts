/** The upstream of the benchmark: answers every POST with the same bytes, parsing only what ends a request. */
import { createServer } from "node:net";
import { ANSWER, END_OF_REQUEST } from "./wire.ts";

const delayMs = Number(process.argv[2] ?? 0);

/** Fraction of the golden ratio: its multiples modulo 1 are spread evenly. */
const SPREAD = 0.618_033_988_749_895;
let answered = 0;

/** Half to one and a half times the delay. Equal delays would bring all connections into step, and measure bursts. */
function nextDelayMs(): number {
  return delayMs * (0.5 + ((answered++ * SPREAD) % 1));
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    if (!chunk.includes(END_OF_REQUEST)) return;
    if (delayMs === 0) socket.write(ANSWER);
    else setTimeout(() => socket.write(ANSWER), nextDelayMs());
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") process.send?.({ port: address?.port });
});
process.on("disconnect", () => process.exit(0));
