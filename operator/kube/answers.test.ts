import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isList, isStored, statusOfText } from "./answers.ts";
import { createClient, type KubeClient } from "./client.ts";
import { TransportError } from "./errors.ts";
import { createElection } from "./lease.ts";
import type { Lease } from "./lease-record.ts";
import { resources } from "./resources.ts";
import { createTransport, type Transport } from "./transport.ts";

/** What stands between us and the API server may answer 200 with anything. How the operator gets over it: test/faults/answers.server.test.ts. */

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handle: Handler;
const server = createServer((request, response) => handle(request, response));
let transport: Transport;
let client: KubeClient;
beforeEach(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const kubeConfig = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  const cluster = { name: "odd", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  kubeConfig.loadFromClusterAndUser(cluster, { name: "anybody" });
  transport = createTransport({ kubeConfig, userAgent: "answers" });
  client = createClient(transport);
});
afterEach(async () => {
  await transport.close();
  server.close();
  await once(server, "close");
});

const saying =
  (text: string): Handler =>
  (_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(text);

const ODD = [
  "{}",
  "null",
  "<html><body>Please log in</body></html>",
  '{"metadata": {"name": "a", "res',
  "[]",
];
const call = { deadlineMs: 100 };
const pod = { metadata: { name: "a", namespace: "ns" } };
const REQUESTS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["get", () => client.get(resources.pods, "ns", "a", call)],
  ["list", () => client.list(resources.pods, call)],
  ["create", () => client.create(resources.pods, pod, call)],
  ["apply", () => client.apply(resources.pods, pod, { ...call, fieldManager: "test" })],
  ["apply of status", () => client.applyStatus(resources.pods, pod, { ...call, fieldManager: "test" })],
  ["merge patch", () => client.mergePatch(resources.pods, "ns", "a", {}, call)],
  ["JSON patch", () => client.jsonPatch(resources.pods, "ns", "a", [], call)],
];

describe.each(ODD)("an answer of success that says %s", (text) => {
  it.each(REQUESTS)("is no answer to a %s", async (_, ask) => {
    handle = saying(text);
    await expect(ask()).rejects.toThrow(TransportError);
  });

  it("ends a watch with an error, or without an event", async () => {
    handle = saying(`${text}\n`);
    const watch = async () => {
      const events = await client.watch(resources.pods, { resourceVersion: "1", timeoutSeconds: 1 });
      for await (const event of events) expect(event).toBeUndefined();
    };
    await expect(watch()).rejects.toThrow();
  });
});

describe("an answer of success", () => {
  const metadata = { name: "a", namespace: "ns", uid: "u", resourceVersion: "7" };

  it("is that of the object that was asked for", async () => {
    handle = saying(JSON.stringify({ metadata }));
    await expect(client.get(resources.pods, "ns", "a", call)).resolves.toEqual({ metadata });
    await expect(client.get(resources.pods, "ns", "b", call)).rejects.toThrow(TransportError);
  });

  it("to a dry run has no version", async () => {
    handle = saying(JSON.stringify({ metadata: { name: "a" } }));
    await expect(client.create(resources.pods, pod, { dryRun: true })).resolves.toBeDefined();
  });

  it("is a list where it has a version and says what is there, nothing included", () => {
    const list = { metadata: { resourceVersion: "7" } };
    expect(
      [
        { ...list, items: [] },
        { ...list, items: null },
        { ...list, items: [{ metadata }] },
      ].map(isList),
    ).toEqual([true, true, true]);
    expect([list, { items: [] }, { ...list, items: {} }, { ...list, items: [{}] }].map(isList)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("is an object where nothing is missing that tells it from others", () => {
    expect(isStored({ metadata })).toBe(true);
    for (const name of ["name", "uid", "resourceVersion"])
      expect(isStored({ metadata: { ...metadata, [name]: undefined } }), name).toBe(false);
  });
});

it.each([
  '{"type":"ADDED"}',
  '{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}',
  '{"type":"BOOKMARK","object":{"metadata":{}}}',
])("a watch that says %s has to start again", async (line) => {
  handle = saying(`${line}\n`);
  const events = await client.watch(resources.pods, { resourceVersion: "1", timeoutSeconds: 1 });
  await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow();
});

describe("a failure", () => {
  it("is read in the server's form, in that of a proxy, and in none", () => {
    expect(
      statusOfText('{"code":409,"reason":"Conflict","message":"m","details":{"causes":[{"field":"f"}]}}'),
    ).toEqual({
      ...{ code: 409, reason: "Conflict", message: "m" },
      details: { causes: [{ field: "f" }] },
    });
    expect(statusOfText("gone for lunch")).toEqual({ message: "gone for lunch" });
    expect(["", "null", "[]", "{}"].map(statusOfText)).toEqual([{}, {}, {}, {}]);
    expect(statusOfText('{"code":"x","message":{},"details":{"causes":{}}}')).toEqual({ details: {} });
  });
});

describe("an election", () => {
  const spec = { holderIdentity: "me", leaseDurationSeconds: 15 };
  const lease: Lease = {
    metadata: { name: "lease", namespace: "ns", uid: "u", resourceVersion: "1" },
    spec,
  };
  const elect = (signal: AbortSignal, onStarted: () => void) =>
    createElection({
      ...{
        client: createClient(transport, { lane: "lease" }),
        namespace: "ns",
        name: "lease",
        identity: "me",
      },
      ...{ leaseDurationMs: 3_000, renewIntervalMs: 20, renewDeadlineMs: 2_000, retryMs: 20 },
    }).run(signal, { onStarted, onStopped: () => {} });

  it.each(ODD.slice(0, 2))(
    "goes on campaigning while it is answered %s, and wins when it is answered",
    async (text) => {
      const shutdown = new AbortController();
      const asked = new Set<string>();
      let isOdd = true;
      handle = ({ method = "", url = "" }, response) => {
        asked.add(url.includes("watch=") ? "watch" : method);
        if (asked.has("POST") && asked.has("GET") && asked.has("watch")) isOdd = false;
        if (isOdd) return saying(`${text}\n`)({ method } as IncomingMessage, response);
        if (url.includes("watch=")) return response.writeHead(503).end();
        return saying(JSON.stringify(lease))({ method } as IncomingMessage, response);
      };
      await expect(elect(shutdown.signal, () => shutdown.abort())).resolves.toBe("released");
    },
  );

  it.each(ODD.slice(0, 2))("keeps a lease of which a renewal is answered %s", async (text) => {
    const shutdown = new AbortController();
    let renewals = 0;
    handle = ({ method, url = "" }, response) => {
      if (url.includes("watch=")) return response.writeHead(503).end();
      if (method === "PATCH" && renewals++ % 2 === 1) return saying(text)({} as IncomingMessage, response);
      if (renewals > 4) shutdown.abort();
      saying(JSON.stringify(lease))({} as IncomingMessage, response);
    };
    await expect(elect(shutdown.signal, () => {})).resolves.toBe("released");
  });
});
