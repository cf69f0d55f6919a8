import { EventEmitter, once } from "node:events";
import type { RequestOptions } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { createTransport, type Transport } from "./transport.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** Who takes connections and never says a word, as what is behind a broken line does. */
let mute: Server;
let sockets: Socket[];
let accepted: EventEmitter;
let transports: Transport[];
let metrics: KubeMetrics;

beforeEach(async () => {
  metrics = createKubeMetrics();
  sockets = [];
  transports = [];
  accepted = new EventEmitter();
  mute = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    accepted.emit("connection");
  }).listen(0, "127.0.0.1");
  await once(mute, "listening");
});
afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  for (const socket of sockets) socket.destroy();
  mute.close();
});

const WAYS = ["TLS that is never spoken", "a proxy that never answers"] as const;

function transportTo(way: (typeof WAYS)[number]): Transport {
  const kubeConfig = new KubeConfig();
  const address = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const cluster =
    way === "TLS that is never spoken"
      ? { name: "mute", server: `https://${address}`, skipTLSVerify: true }
      : { name: "mute", server: "https://127.0.0.1:1", skipTLSVerify: true, proxyUrl: `http://${address}` };
  kubeConfig.loadFromClusterAndUser(cluster, { name: "anybody" });
  const transport = createTransport({ kubeConfig, userAgent: "connecting", metrics });
  transports.push(transport);
  return transport;
}

const request = {
  method: "GET",
  verb: "get",
  resource: "pods",
  subject: "a/b",
  path: "/x",
  idempotent: true,
} as const;

/** Undici gives up on its own after 10 s at the earliest. */
async function endsEarly(call: Promise<unknown>, why: string): Promise<void> {
  const startedAt = performance.now();
  await expect(call).rejects.toThrow(why);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
}

/** Its authorities are others each time they are read, so that connections are opened anew. */
class RotatingConfig extends KubeConfig {
  private readings = 0;

  override async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    this.readings++;
    options.ca = `authority ${this.readings}`;
  }
}

it("ends at its close what still runs on the connections of earlier credentials", async () => {
  const kubeConfig = new RotatingConfig();
  const { port } = mute.address() as AddressInfo;
  kubeConfig.loadFromClusterAndUser(
    { name: "mute", server: `http://127.0.0.1:${port}`, skipTLSVerify: false },
    { name: "anybody" },
  );
  const clock = createVirtualClock();
  const transport = createTransport({ kubeConfig, userAgent: "rotating", clock });
  const hanging = [1, 2].map(async () => {
    const connecting = once(accepted, "connection");
    const answer = transport.send({ ...request, deadlineMs: 600_000 });
    answer.catch(() => {});
    await connecting;
    await clock.advance(61_000);
    return answer;
  });
  const ends = Promise.allSettled(hanging);
  await once(accepted, "connection");
  await transport.close();
  expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(transport.send(request)).rejects.toThrow("the transport is closed");
}, 10_000);

describe.each(WAYS)("while a connection is made: %s", (way) => {
  it("a request ends at its deadline, and is counted", async () => {
    const transport = transportTo(way);
    await endsEarly(transport.send({ ...request, deadlineMs: 300 }), "no answer within 0.3 s");
    await endsEarly(transport.open({ ...request, deadlineMs: 300 }), "no answer within 0.3 s");
    const { values } = await metrics.requests.get();
    expect(values).toMatchObject([{ labels: { code: "error" }, value: 2 }]);
  });

  it("a request ends with its signal", async () => {
    const transport = transportTo(way);
    for (const call of [transport.send, transport.open]) {
      const stop = new AbortController();
      const connecting = once(accepted, "connection");
      const answer = call({ ...request, signal: stop.signal });
      answer.catch(() => {});
      await connecting;
      stop.abort(new Error("enough"));
      await endsEarly(answer, "enough");
    }
  });

  it("the lease tries another connection before a renewal is too late", async () => {
    const transport = transportTo(way);
    const stop = new AbortController();
    const answer = transport.send({ ...request, lane: "lease", signal: stop.signal, deadlineMs: 8_000 });
    answer.catch(() => {});
    await once(accepted, "connection");
    // What ends first: the deadline, where nothing is tried again.
    await Promise.race([once(accepted, "connection"), answer.catch(() => {})]);
    expect(sockets).toHaveLength(2);
    stop.abort();
  });
});
