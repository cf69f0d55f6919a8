import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient } from "./client.ts";
import { createKubeMetrics } from "./metrics.ts";
import { MAX_TRIES } from "./retry.ts";
import { createTransport, type Transport } from "./transport.ts";

/** A server without room: it answers each request 429, and wants it again at once. */
const paths: string[] = [];
const server = createServer((request, response) => {
  paths.push(request.url ?? "");
  response.writeHead(429, { "content-type": "application/json", "retry-after": "0" }).end("{}");
});
let transport: Transport;
let registry: Registry;
beforeEach(async () => {
  paths.length = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kubeConfig = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  const cluster = { name: "full", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  kubeConfig.loadFromClusterAndUser(cluster, { name: "anybody" });
  registry = new Registry();
  transport = createTransport({ kubeConfig, userAgent: "once", metrics: createKubeMetrics(registry) });
});
afterEach(async () => {
  await transport.close();
  await new Promise((resolve) => server.close(resolve));
});

describe("a request that the server has no room for", () => {
  const request = { method: "POST", verb: "create", resource: "pods", subject: "a/b", path: "/x" } as const;

  it("is sent again as often as it may be", async () => {
    await expect(transport.send({ ...request, idempotent: false })).rejects.toMatchObject({ code: 429 });
    expect(paths).toHaveLength(MAX_TRIES);
  });

  it("is counted, and its time taken, by the code of the answer", async () => {
    await transport.send({ ...request, idempotent: false, once: true }).catch(() => {});
    await new Promise((resolve) => server.close(resolve));
    await transport.send({ ...request, idempotent: false, once: true }).catch(() => {});
    const text = await registry.metrics();
    for (const code of ["429", "error"]) {
      expect(text).toContain(`operator_api_requests_total{verb="create",resource="pods",code="${code}"} 1`);
      expect(text).toContain(
        `operator_api_request_seconds_count{verb="create",resource="pods",code="${code}"} 1`,
      );
    }
  });

  it("is sent once where the caller decides anew, as on an eviction", async () => {
    await expect(transport.send({ ...request, idempotent: false, once: true })).rejects.toMatchObject({
      code: 429,
    });
    const evicting = createClient(transport).evict("ai", "pod", { uid: "u" });
    await expect(evicting).rejects.toMatchObject({ code: 429 });
    expect(paths).toEqual(["/x", "/api/v1/namespaces/ai/pods/pod/eviction"]);
  });
});
