import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below what Linux gives to connections and to whoever listens on port 0 (net.ipv4.ip_local_port_range, 32768 on): a port of that range would be
 * free when it was looked at, and somebody's a second later when the server has started that is to have it.
 */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 100;

/** A TCP port of `host` that is free, and that only another call could take: one in thousands does. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`${host}: none of ${TRIES} ports from ${FIRST} to ${LAST} is free.`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
