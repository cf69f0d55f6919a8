import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ClientOptions, createPrometheusClient } from "./client.ts";

const EMPTY = JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } });
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Seen {
  path: string;
  method: string;
  authorization: string | undefined;
  headers: IncomingMessage["headers"];
  form: URLSearchParams;
}

/** A client of a server that answers as told. */
async function connect(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  options: Partial<ClientOptions> = {},
) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const { url: path = "", method = "", headers } = request;
      seen.push({
        ...{ path, method, headers },
        authorization: headers.authorization,
        form: new URLSearchParams(body),
      });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createPrometheusClient({ url: `${url}/prom/`, ...options });
  cleanups.push(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, seen, server };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "llmbridge-credentials-"));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

/** Always in time for the next byte, and never done. */
function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(timer));
}

describe("query", () => {
  it("posts expression and time to the query path below the base URL", async () => {
    const { client, seen } = await connect((response) => response.end(EMPTY));
    expect(await client.query('up{a="b c&d"}', 1_700_000_000_123)).toEqual({ ok: true, series: [] });
    expect(seen[0]).toMatchObject({ path: "/prom/api/v1/query", method: "POST", authorization: undefined });
    expect(seen[0]?.form.get("query")).toBe('up{a="b c&d"}');
    expect(seen[0]?.form.get("time")).toBe("1700000000.123");
  });

  it("reads the token file for every query", async () => {
    const bearerTokenFile = join(await folder(), "token");
    const { client, seen } = await connect((response) => response.end(EMPTY), { bearerTokenFile });
    expect(await client.query("up", 0)).toEqual({
      ...{ ok: false, problem: "Credentials" },
      message:
        "The file of bearerTokenFile cannot be read (ENOENT); check its path and the mount of its Secret or ConfigMap.",
    });
    for (const token of ["first\n", "second"]) {
      await writeFile(bearerTokenFile, token);
      await client.query("up", 0);
    }
    expect(seen.map(({ authorization }) => authorization)).toEqual(["Bearer first", "Bearer second"]);
  });

  it("sends user and password, fixed headers and parameters as the administrator named them", async () => {
    const mounted = await folder();
    const [passwordFile, key] = [join(mounted, "password"), join(mounted, "key")];
    await Promise.all([writeFile(passwordFile, "pässword:1\n"), writeFile(key, "k-1\n")]);
    const { client, seen } = await connect((response) => response.end(EMPTY), {
      basicAuth: { username: "operator", passwordFile },
      headers: { "x-scope-orgid": "platform" },
      headerFiles: { "x-key": key },
      parameters: { dedup: "true", "replicaLabels[]": ["a b", "c"] },
    });
    expect(await client.query("up", 0)).toMatchObject({ ok: true });
    expect(seen[0]).toMatchObject({
      authorization: `Basic ${Buffer.from("operator:pässword:1").toString("base64")}`,
      headers: { "x-scope-orgid": "platform", "x-key": "k-1" },
      path: "/prom/api/v1/query?dedup=true&replicaLabels%5B%5D=a+b&replicaLabels%5B%5D=c",
    });
    expect([...(seen[0]?.form.keys() ?? [])]).toEqual(["query", "time", "timeout", "nocache"]);
  });

  it.each([
    ["", "is empty"],
    ["hunter2\nhunter3", "must hold one line"],
    ["hunter2\u0000", "must hold one line"],
  ])("does not ask with the token %j, and does not show it", async (token, reason) => {
    const bearerTokenFile = join(await folder(), "token");
    await writeFile(bearerTokenFile, token);
    const { client, seen } = await connect((response) => response.end(EMPTY), { bearerTokenFile });
    const result = await client.query("up", 0);
    expect(result).toMatchObject({
      ok: false,
      problem: "Credentials",
      message: expect.stringContaining(reason),
    });
    expect(JSON.stringify(result)).not.toContain("hunter");
    expect(seen).toEqual([]);
  });

  it.each([
    [401, "check bearerTokenFile, basicAuth, tls.certFile, tenant and headers"],
    [403, "check bearerTokenFile, basicAuth, tls.certFile, tenant and headers"],
    [404, "check the path in its URL"],
    [500, "HTTP status 500."],
  ])("says what to look at after status %i, and nothing of what was sent", async (status, remedy) => {
    const bearerTokenFile = join(await folder(), "token");
    await writeFile(bearerTokenFile, "hunter2");
    const { client } = await connect(
      (response, { headers }) =>
        response.writeHead(status, { echo: headers.authorization }).end(headers.authorization),
      { bearerTokenFile, headers: { "x-scope-orgid": "hunter3" } },
    );
    const result = await client.query("up", 0);
    const problem = status === 500 ? "TooMuch" : "Refused";
    expect(result).toMatchObject({ ok: false, problem, message: expect.stringContaining(remedy) });
    expect(JSON.stringify(result)).not.toContain("hunter");
  });

  it("takes an http server behind an https URL as a problem of TLS", async () => {
    const { seen, server } = await connect((response) => response.end(EMPTY));
    const client = createPrometheusClient({
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    cleanups.push(() => client.close());
    expect(await client.query("up", 0)).toMatchObject({
      ...{ ok: false, problem: "Tls" },
      message: expect.stringContaining("check http or https in its URL"),
    });
    expect(seen).toEqual([]);
  });

  it("follows no redirect", async () => {
    const { client, seen } = await connect((response) =>
      response.writeHead(302, { location: "/elsewhere" }).end(),
    );
    expect(await client.query("up", 0)).toMatchObject({
      ok: false,
      problem: "Refused",
      message: expect.stringContaining("302"),
    });
    expect(seen).toHaveLength(1);
  });

  it.each([
    ["an error status", (response: ServerResponse) => response.writeHead(422).end("secret"), "TooMuch"],
    [
      "an error in the body",
      (response: ServerResponse) => response.end('{"status":"error","error":"secret"}'),
      "Unreadable",
    ],
    ["another page", (response: ServerResponse) => response.end("<html>secret</html>"), "Unreadable"],
    [
      "a warning",
      (response: ServerResponse) => response.end(EMPTY.replace("{", '{"warnings":["secret"],')),
      "Partial",
    ],
    [
      "what VictoriaMetrics says of an answer that is not whole",
      (response: ServerResponse) => response.end(EMPTY.replace("{", '{"isPartial":true,')),
      "Partial",
    ],
    ["a broken connection", (response: ServerResponse) => response.destroy(), "Unreachable"],
    ["too long an answer", (response: ServerResponse) => response.end(" ".repeat(5000)), "TooLarge"],
    ["no answer", () => undefined, "Timeout"],
    ["an answer that trickles", trickle, "Timeout"],
    ["an answer that never ends", (response: ServerResponse) => response.write("secret"), "Timeout"],
  ])("takes %s as a problem, and says nothing of what was answered", async (_, answer, problem) => {
    // Only what is to time out does so soon: a busy machine is slow to answer too.
    const timeoutMs = problem === "Timeout" ? 300 : 60_000;
    const { client } = await connect(answer, { timeoutMs, maxBytes: 4000 });
    const result = await client.query("up", 0);
    expect(result).toMatchObject({ ok: false, problem });
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  it("ends at once when it is closed, whatever is still asked", async () => {
    const { client, seen } = await connect(trickle, { timeoutMs: 60_000 });
    const asked = client.query("up", 0);
    await expect.poll(() => seen).toHaveLength(1);
    await client.close();
    expect(await asked).toMatchObject({ ok: false, problem: "Unreachable" });
  });

  it("takes a closed port as a problem", async () => {
    const { client, server } = await connect((response) => response.end(EMPTY));
    await new Promise((resolve) => server.close(resolve));
    expect(await client.query("up", 0)).toMatchObject({ ok: false, problem: "Unreachable" });
  });

  it("refuses an address that no source has, before it asks", () => {
    expect(() => createPrometheusClient({ url: "http://169.254.169.254" })).toThrow("must not point to");
  });
});
