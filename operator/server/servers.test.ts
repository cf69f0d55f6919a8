import { Counter, Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import type { InformerHealth } from "../kube/informer.ts";
import { type Check, cachesSynced, reconcilesEnd, reflectorsMove } from "./health.ts";
import { createServers, type Servers } from "./servers.ts";

let servers: Servers | undefined;
afterEach(async () => servers?.close());

async function start(live: readonly Check[] = [], ready: readonly Check[] = []) {
  const registry = new Registry();
  new Counter({ name: "things_total", help: "Things", registers: [registry] }).inc(3);
  servers = await createServers({ registry, metricsPort: 0, healthPort: 0, host: "127.0.0.1", live, ready });
  const { metricsPort, healthPort } = servers;
  const get = async (path: string, init?: RequestInit) => {
    const port = path.startsWith("/metrics") ? metricsPort : healthPort;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      text: await response.text(),
    };
  };
  return { get, metricsPort, healthPort };
}

describe("servers", () => {
  it("serve metrics in the format that Prometheus asks for", async () => {
    const { get } = await start();
    const { status, type, text } = await get("/metrics");
    expect(status).toBe(200);
    expect(type).toContain("text/plain; version=0.0.4");
    expect(text).toContain("things_total 3");
  });

  it("tell what is wrong", async () => {
    let problem: string | undefined = "bridges has not been listed yet";
    const { get } = await start([], [{ name: "caches", problem: () => problem }]);
    expect(await get("/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    expect(await get("/readyz")).toMatchObject({
      status: 503,
      text: "[-] caches: bridges has not been listed yet\nfailed\n",
    });
    problem = undefined;
    expect(await get("/readyz?verbose")).toMatchObject({ status: 200, text: "[+] caches\nok\n" });
  });

  it("answer nothing else", async () => {
    const { get } = await start();
    expect((await get("/")).status).toBe(404);
    expect((await get("/constructor")).status).toBe(404);
    expect((await get("/metrics", { method: "POST" })).status).toBe(405);
  });

  it("say which port is taken", async () => {
    const { metricsPort } = await start();
    const again = createServers({
      ...{ registry: new Registry(), metricsPort, healthPort: 0, host: "127.0.0.1" },
      live: [],
      ready: [],
    });
    await expect(again).rejects.toThrow(`port ${metricsPort} is taken`);
  });
});

describe("checks", () => {
  const observed = (health: Partial<InformerHealth>) => ({
    health: (): InformerHealth => ({
      synced: true,
      settled: true,
      refused: [],
      phases: ["watching"],
      stillMs: 0,
      ...health,
    }),
  });

  it("readiness waits for every cache", () => {
    const informers = { bridges: observed({}), pods: observed({ synced: false, settled: false }) };
    expect(cachesSynced(informers).problem()).toBe("pods has not been listed yet");
    expect(cachesSynced({ bridges: observed({}) }).problem()).toBeUndefined();
  });

  it("readiness names a namespace that may not be read, and does not wait for it", async () => {
    const refused = ["gone", "locked"].map((namespace) => ({ namespace, message: "no", forMs: 0 }));
    const bridges = observed({ synced: false, refused });
    const servers = await createServers({
      ...{ registry: new Registry(), metricsPort: 0, healthPort: 0, host: "127.0.0.1", live: [] },
      ready: [cachesSynced({ bridges, pods: observed({}) })],
    });
    const answer = await fetch(`http://127.0.0.1:${servers.healthPort}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      "[+] caches: may not be read and left alone: bridges in gone, locked\nok\n",
    ]);
    await servers.close();
  });

  it("is not ready while something may not be read in the whole cluster, and says what the API server says", () => {
    const message = 'pods is forbidden: User "operator" cannot list resource "pods"';
    const pods = observed({ synced: false, refused: [{ namespace: "", message, forMs: 0 }] });
    const check = cachesSynced({ bridges: observed({}), pods });
    expect(check.problem()).toBe(`pods may not be read: ${message}`);
    expect(check.note?.()).toBeUndefined();
  });

  it("liveness bears an unreachable server but not a reflector that stands still", () => {
    expect(
      reflectorsMove({ pods: observed({ phases: ["waiting"], stillMs: 30_000 }) }).problem(),
    ).toBeUndefined();
    expect(reflectorsMove({ pods: observed({ stillMs: 16 * 60_000 }) }).problem()).toContain(
      "pods has not moved",
    );
  });

  it("liveness does not bear a reconcile that never ends", () => {
    expect(reconcilesEnd({ longestRunningMs: () => 60_000 }).problem()).toBeUndefined();
    expect(reconcilesEnd({ longestRunningMs: () => 11 * 60_000 }).problem()).toContain(
      "more than 10 minutes",
    );
  });
});
