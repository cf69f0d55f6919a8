import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Authority } from "../../test/cluster/pki.ts";
import { type Gate, startGate } from "../../test/servers/gate.ts";
import { type MetricTarget, startMetricTarget } from "../../test/servers/metric-target.ts";
import { type PrometheusServer, startPrometheus } from "../../test/servers/prometheus.ts";
import { sourceOptions } from "../metric-sources.ts";
import type { AdministratorSettings } from "../settings/file.ts";
import { parseAdministratorSettings } from "../settings/file.ts";
import { ownMatchers } from "./counting.ts";
import { createPrometheusSource } from "./prometheus-source.ts";
import { anyOf, equal, selector, unequal } from "./promql.ts";
import type { MetricSource, PodReading, Reading } from "./source.ts";

/** Nothing that a reading says may hold one of them. */
const PASSWORD = "correct horse";
const TOKEN = "token-a41f";
/** bcrypt of the password; Prometheus knows users by nothing else. */
const HASH = "$2b$04$0idAd8ao0GNJ3deT9Dk1CeRvdyI/jG2Jqpe670FOEb6yho6rVnkoC";
const SERVER_NAME = "prometheus.example";

let folder = "";
let authority: Authority;
let stranger: Authority;
let target: MetricTarget;
let secured: PrometheusServer;
let plain: PrometheusServer;
const opened: { close(): Promise<void> }[] = [];
const said: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-guarded-"));
  [authority, stranger] = [await createAuthority("ours"), await createAuthority("theirs")];
  await authority.issue({ name: "server", user: "prometheus", addresses: [`DNS:${SERVER_NAME}`] });
  await authority.issue({ name: "operator", user: "operator" });
  await stranger.issue({ name: "operator", user: "operator" });
  await Promise.all([writeFile(at("password"), `${PASSWORD}\n`), writeFile(at("token"), `${TOKEN}\n`)]);
  target = await startMetricTarget({ pod: "chat-a", bridge: "chat", revision: "new" });
  const targets = [{ port: target.port, labels: { namespace: "ai", pod: target.pod, cluster: "west" } }];
  const web = {
    tls_server_config: {
      ...{ cert_file: authority.path("server.crt"), key_file: authority.path("server.key") },
      ...{ client_auth_type: "RequireAndVerifyClientCert", client_ca_file: authority.path("ca.crt") },
    },
    basic_auth_users: { operator: HASH },
  };
  secured = await startPrometheus({ scrapeIntervalMs: 500, targets, web });
  plain = await startPrometheus({ scrapeIntervalMs: 500, targets });
  await target.scraped();
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await Promise.all([secured?.stop(), plain?.stop(), target?.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function createAuthority(name: string): Promise<Authority> {
  const created = new Authority(await mkdtemp(join(folder, `${name}-`)));
  await created.create();
  return created;
}

function at(file: string): string {
  return join(folder, file);
}

/** A source as the settings file describes it. */
function open(fields: Partial<AdministratorSettings["sources"][number]>) {
  const [settings] = parseAdministratorSettings(
    JSON.stringify({ sources: [{ name: "default", ...fields }] }),
  ).sources;
  if (settings === undefined) throw new Error("the settings hold no source");
  const source = createPrometheusSource(sourceOptions(settings));
  opened.push(source);
  return source;
}

async function read(source: MetricSource): Promise<Reading<readonly PodReading[]>> {
  const reading = await source.readFleet({
    ...{ namespace: "ai", bridge: "chat" },
    ...{ atMs: Date.now(), windowMs: 60_000 },
  });
  said.push(JSON.stringify(reading));
  return reading;
}
/** Until the pod has been scraped often enough. */
const works = (source: MetricSource) =>
  expect.poll(() => read(source)).toMatchObject({ kind: "ok", value: [{ pod: "chat-a" }] });
/** Once what ran on the connections before has ended: a connection that the server ends may be the first thing that is seen. */
const fails = (source: MetricSource, message: string) =>
  expect
    .poll(() => read(source))
    .toMatchObject({
      ...{ kind: "failing", reason: "SourceFailing" },
      message: expect.stringContaining(message),
    });

describe("a Prometheus with TLS, client certificates and users", () => {
  const tls = () => ({
    caFile: authority.path("ca.crt"),
    certFile: authority.path("operator.crt"),
    keyFile: authority.path("operator.key"),
    serverName: SERVER_NAME,
  });
  const basicAuth = () => ({ username: "operator", passwordFile: at("password") });

  it("is read by whom it knows", async () => {
    await works(open({ url: secured.url, tls: tls(), basicAuth: basicAuth() }));
  });

  it("is not read without what it asks for, and the message says what to look at", async () => {
    const { url } = secured;
    await writeFile(at("wrong"), "battery staple");
    await fails(open({ url, tls: tls() }), "HTTP status 401; check bearerTokenFile, basicAuth");
    await fails(
      open({ url, tls: tls(), basicAuth: { ...basicAuth(), passwordFile: at("wrong") } }),
      "HTTP status 401",
    );
    const { certFile: _c, keyFile: _k, ...withoutCertificate } = tls();
    await fails(open({ url, tls: withoutCertificate, basicAuth: basicAuth() }), "tls.certFile if it asks");
    await fails(open({ url: url.replace("https", "http"), basicAuth: basicAuth() }), "HTTP status 400");
  });

  it("is not trusted unless its authority and its name are", async () => {
    const { url } = secured;
    await fails(open({ url, basicAuth: basicAuth() }), "set tls.caFile to the authority that signed it");
    await fails(open({ url, tls: { ...tls(), caFile: stranger.path("ca.crt") } }), "is not trusted (");
    const { serverName: _, ...unnamed } = tls();
    await fails(open({ url, tls: unnamed }), "not trusted (ERR_TLS_CERT_ALTNAME_INVALID)");
  });

  it("is read with what the files hold at the moment", async () => {
    const [caFile, certFile, keyFile] = [at("ca.crt"), at("tls.crt"), at("tls.key")];
    const passwordFile = at("rotated");
    const source = open({
      ...{ url: secured.url, tls: { caFile, certFile, keyFile, serverName: SERVER_NAME } },
      basicAuth: { username: "operator", passwordFile },
    });
    const mount = (who: Authority) =>
      Promise.all([
        copyFile(who.path("operator.crt"), certFile),
        copyFile(who.path("operator.key"), keyFile),
      ]);
    await writeFile(passwordFile, PASSWORD);
    await fails(source, "The file of tls.caFile cannot be read (ENOENT)");
    await writeFile(caFile, "nothing of use");
    await mount(authority);
    await fails(source, "The file of tls.caFile holds no PEM certificate.");
    await copyFile(authority.path("ca.crt"), caFile);
    await works(source);

    await copyFile(stranger.path("operator.key"), keyFile);
    await fails(source, "The files of tls.certFile and tls.keyFile hold no PEM that TLS can use");
    // A certificate that Prometheus does not know is shown by new connections only: the old ones must be gone.
    await mount(stranger);
    await fails(source, "tls.certFile if it asks");
    await mount(authority);
    await works(source);
    await writeFile(passwordFile, "battery staple");
    await fails(source, "HTTP status 401");
  });
});

describe("a shared source behind a proxy", () => {
  let gate: Gate;
  beforeAll(async () => {
    gate = await startGate({
      ...{ target: plain.url, prefix: "/select/0/prometheus" },
      headers: { "x-scope-orgid": "platform", "x-team": "llm", authorization: `Bearer ${TOKEN}` },
    });
  });
  afterAll(() => gate?.close());
  const known = () => ({
    ...{ url: gate.url, tenant: "platform", headers: { "X-Team": "llm" }, bearerTokenFile: at("token") },
  });

  it("is read below its path, as the tenant, with the administrator's parameters", async () => {
    await works(open({ ...known(), parameters: { dedup: "true", partial_response: "false" } }));
    expect(new Set(gate.passed)).toEqual(
      new Set(["/select/0/prometheus/api/v1/query?dedup=true&partial_response=false"]),
    );
  });

  it.each(["tenant", "headers", "bearerTokenFile"] as const)("is not read without %s", async (field) => {
    const { [field]: _, ...rest } = known();
    const before = gate.passed.length;
    await fails(open({ ...rest }), "HTTP status 401");
    expect(gate.passed).toHaveLength(before);
  });

  it("shows nothing of other clusters where the administrator names one", async () => {
    await works(open({ ...known(), matchers: { cluster: "west" } }));
    expect(await read(open({ ...known(), matchers: { cluster: "east" } }))).toMatchObject({
      ...{ kind: "failing", reason: "NoData" },
    });
  });
});

describe("Prometheus' own parser", () => {
  it("reads every text as the value that was meant", async () => {
    const texts = fc.sample(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), {
      numRuns: 60,
      seed: 7,
    });
    const hostile = ['"} or {a="', "\\", '\\"', "a\nb", "|.*", "`", "#", "$1", "\u0000", "\ud800", ...texts];
    for (const text of hostile) {
      const own = ownMatchers("namespace", text, "chat");
      const query = selector([
        anyOf("revision", [text, ".*"]),
        unequal("cache", "hit"),
        equal("a", text),
        ...own,
      ]);
      const response = await fetch(`${plain.url}/api/v1/parse_query`, {
        ...{ method: "POST", body: new URLSearchParams({ query }) },
      });
      const { data } = (await response.json()) as {
        data?: { type: string; matchers: { name: string; type: string; value: string }[] };
      };
      expect(data?.type, query).toBe("vectorSelector");
      const matchers = data?.matchers.map(({ name, type, value }) => `${name}${type}${value}`);
      expect(matchers).toHaveLength(5);
      expect(matchers).toContain(`namespace=${text.toWellFormed()}`);
      expect(matchers).toContain(`a=${text.toWellFormed()}`);
      expect(matchers).toContain("bridge=chat");
    }
  });
});

it("never says a credential", () => {
  expect(said.length).toBeGreaterThan(10);
  for (const one of said) {
    for (const secret of [
      PASSWORD,
      TOKEN,
      "battery staple",
      "PRIVATE KEY",
      Buffer.from(`operator:${PASSWORD}`).toString("base64"),
    ])
      expect(one).not.toContain(secret);
  }
});
