import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import type { UpstreamConfig } from "../../contract/config.ts";
import { createAnswerCache } from "../cache/cache.ts";
import { createFront } from "../http/front.ts";
import type { Metered } from "../http/meter.ts";
import type { Service } from "../http/service.ts";
import { createTenantNames } from "../http/tenant.ts";
import { Connections } from "../lifecycle/connections.ts";
import { createLedger } from "../metrics/account.ts";
import { createMetrics } from "../metrics/registry.ts";
import { Catalog } from "../upstreams/catalog.ts";

export interface RunningFront {
  readonly url: string;
  readonly service: Service;
  /** What the usage meter was told, in order. */
  readonly metered: readonly Metered[];
  close(): Promise<void>;
}

/** The traffic port alone, before one upstream of OpenAI's API, with parts of a service that a whole bridge makes itself. */
export async function runFront(upstreamUrl: string, parts: Partial<Service> = {}): Promise<RunningFront> {
  const metrics = createMetrics({ bridge: "chat", revision: "abc123" });
  const log = pino({ level: "silent" });
  const metered: Metered[] = [];
  const upstream: UpstreamConfig = {
    name: "openai",
    protocol: "OpenAI",
    url: upstreamUrl,
    models: [],
    maxConcurrency: 50,
    timeouts: { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000 },
  };
  const catalog = new Catalog({
    upstreams: [upstream],
    runtime: { httpConnections: {}, idleHttpConnections: 50 },
    openToken: () => {
      throw new Error("no token");
    },
    metrics,
    now: Date.now,
  });
  const service: Service = {
    revision: "abc123",
    limits: { bodyBytes: 1024 * 1024, requestMs: 60_000 },
    stallMs: 60_000,
    catalog,
    cache: createAnswerCache({ metrics, log, scope: "ai/chat", maxBytes: 0, ttlMs: 0 }),
    workers: { compress: async (bytes) => Buffer.from(bytes) },
    ledger: createLedger(metrics),
    metrics,
    connections: new Connections({ maxAgeMs: 0, random: () => 0.5 }),
    tenants: createTenantNames(),
    meter: { record: (one) => void metered.push(one) },
    log,
    ...parts,
  };
  let ids = 0;
  const server = createFront({
    service,
    health: () => "ok",
    newId: () => `id-${ids++}`,
    upgrade: (_request, socket) => void socket.destroy(),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    service,
    metered,
    async close() {
      server.closeAllConnections();
      server.close();
      await catalog.close();
    },
  };
}
