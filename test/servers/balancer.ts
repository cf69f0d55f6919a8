import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Spreads connections over backends, as a ClusterIP does: each connection stays with the backend it was given. */
export interface Balancer {
  /** `http://host:port`. */
  readonly url: string;
  /** Backends of new connections, as ports on 127.0.0.1; connections that exist stay. */
  setBackends(ports: readonly number[]): void;
  /** Breaks all connections, as a network fault does. */
  breakAll(): void;
  close(): Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  let backends = ports;
  let next = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const port = backends[next++ % backends.length];
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const backend = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.resetAndDestroy());
      socket.on("close", () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setBackends(changed) {
      backends = changed;
    },
    breakAll() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
