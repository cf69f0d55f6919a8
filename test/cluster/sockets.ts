import { connect } from "node:net";
import { until } from "./until.ts";

/** Waits until somebody accepts connections on a unix socket. */
export async function socketAnswers(path: string, demand: () => void): Promise<void> {
  await until(`${path} to accept connections`, 30_000, async () => {
    demand();
    return new Promise((resolve) => {
      const socket = connect(path);
      socket.once("connect", () => {
        socket.destroy();
        resolve(undefined);
      });
      socket.once("error", (error) => resolve(error.message));
    });
  });
}
