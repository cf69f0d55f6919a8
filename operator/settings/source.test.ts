import { describe, expect, it } from "vitest";
import { sourceOptions } from "../metric-sources.ts";
import { parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

function parse(fields: object) {
  const text = JSON.stringify({ sources: [{ name: "a", url: "https://a", ...fields }] });
  const [source] = parseAdministratorSettings(text).sources;
  if (source === undefined) throw new Error("there is no source");
  return source;
}

const user = { username: "operator", passwordFile: "/p" };

describe("a source", () => {
  it.each([
    [{ url: "ftp://a" }, "sources[0].url: The URL of a metric source must be http:// or https://"],
    [{ url: "http://user:hunter2@a" }, "sources[0].url: The URL of a metric source"],
    [{ url: "https://a/?dedup=true" }, "sources[0].url: must not have a query part; name its parameters in"],
    [{ url: "http://169.254.169.254" }, "sources[0].url: The URL of a metric source must not point to"],
    [{ name: "Big" }, "sources[0].name: must be 1 to 63 lower-case letters, digits and dashes"],
    [{ name: true }, "sources[0].name: give a name in quotes"],
    [
      { allowedNamespaces: ["a*"] },
      'sources[0].allowedNamespaces[0]: must be the name of a namespace, or "*"',
    ],
    [{ bearerTokenFile: "token" }, "sources[0].bearerTokenFile: must be an absolute path; mount the Secret"],
    [
      { bearerTokenFile: "/t", basicAuth: user },
      "sources[0].basicAuth: cannot be used beside bearerTokenFile, both are the Authorization header; remove one",
    ],
    [{ basicAuth: { username: "operator" } }, "sources[0].basicAuth.passwordFile: "],
    [
      { basicAuth: { ...user, username: "a:b" } },
      "sources[0].basicAuth.username: must be 1 to 255 characters",
    ],
    [{ basicAuth: { ...user, password: "hunter2" } }, 'sources[0].basicAuth: Unrecognized key: "password"'],
    [{ tls: { certFile: "/c" } }, "sources[0].tls.keyFile: is missing; certFile needs it"],
    [{ tls: { keyFile: "/k" } }, "sources[0].tls.certFile: is missing; keyFile needs it"],
    [
      { tls: { caFile: "ca.crt" } },
      "sources[0].tls.caFile: must be an absolute path; mount the ConfigMap or",
    ],
    [{ tls: { serverName: "10.0.0.1" } }, "sources[0].tls.serverName: must be a DNS name"],
    [{ tls: { insecureSkipVerify: true } }, 'sources[0].tls: Unrecognized key: "insecureSkipVerify"'],
    [
      { url: "http://a", tls: { caFile: "/ca" } },
      "sources[0].tls: has no effect on an http:// URL; write https:// or remove it",
    ],
    [{ tenant: "a b" }, "sources[0].tenant: must be letters, digits and"],
    [{ tenant: 7 }, "sources[0].tenant: give the tenant in quotes"],
    [
      { headers: { Authorization: "Bearer hunter2" } },
      "sources[0].headers.Authorization: may not be set here: set bearer",
    ],
    [
      { headers: { "X-Scope-OrgID": "a" } },
      "sources[0].headers.X-Scope-OrgID: may not be set here: set tenant",
    ],
    [{ headers: { "Content-Length": "1" } }, "sources[0].headers.Content-Length: may not be set here"],
    [{ headers: { "X-A": "1", "x-a": "2" } }, "sources[0].headers.x-a: is given twice"],
    [{ headers: { "X A": "1" } }, "must be the name of an HTTP header"],
    [{ headers: { "X-A": "hunter2\r\nX-B: 2" } }, "sources[0].headers.X-A: must be printable ASCII"],
    [{ headers: { "X-A": true } }, "sources[0].headers.X-A: give the value of a header in quotes"],
    [
      { headers: { "X-A": "1" }, headerFiles: { "x-a": "/a" } },
      "sources[0].headers.X-A: is in headerFiles too",
    ],
    [{ headerFiles: { "X-A": "a" } }, "sources[0].headerFiles.X-A: must be an absolute path"],
    [{ headerFiles: { authorization: "/a" } }, "sources[0].headerFiles.authorization: may not be set here"],
    [{ parameters: { query: "up" } }, "sources[0].parameters.query: is a parameter of the operator's own"],
    [{ parameters: { dedup: true } }, "sources[0].parameters.dedup: give the value of a parameter in quotes"],
    [{ parameters: { dedup: "" } }, "sources[0].parameters.dedup: must not be empty"],
    [{ parameters: { "a b": "c" } }, "must be the name of a parameter"],
    [{ matchers: { "a-b": "c" } }, "must be a Prometheus label name"],
    [{ matchers: { cluster: 1 } }, "sources[0].matchers.cluster: give the value of a label in quotes"],
    [
      { matchers: { ns: "c" }, labels: { namespace: "ns" } },
      "sources[0].matchers.ns: is matched by the operator itself; who may read is said by allowedNamespaces",
    ],
    [{ matchers: { bridge: "c" } }, "sources[0].matchers.bridge: is matched by the operator itself"],
    [{ lag: "0m" }, 'sources[0].lag: must be a number of seconds or minutes, such as "5s"'],
    [{ labels: { pod: "a-b" } }, "sources[0].labels.pod: must be a Prometheus label name"],
    [{ uri: "http://b" }, 'sources[0]: Unrecognized key: "uri"'],
  ])("refuses %j", (fields, message) => {
    expect(() => parse(fields)).toThrow(message);
    expect(() => parse(fields)).toThrow(SettingsError);
    // Somebody who writes a secret where none belongs does not find it in the log.
    expect(() => parse(fields)).not.toThrow("hunter2");
  });

  it("becomes what its client takes", () => {
    expect(sourceOptions(parse({}))).toEqual({
      name: "a",
      url: "https://a",
      scrapeIntervalMs: 15_000,
      sourceLagMs: 1_000,
      labels: { namespace: "namespace", pod: "pod" },
      headers: {},
    });
    const given = {
      basicAuth: user,
      tls: { caFile: "/ca" },
      headerFiles: { "X-Key": "/k" },
      parameters: { dedup: "true" },
      matchers: { cluster: "west" },
    };
    const rest = { tenant: "ai", headers: { "X-Team": "llm" }, allowedNamespaces: ["ai"], lag: "30s" };
    expect(sourceOptions(parse({ ...given, ...rest }))).toMatchObject({
      ...given,
      headers: { "X-Team": "llm", "x-scope-orgid": "ai" },
      allowedNamespaces: ["ai"],
      sourceLagMs: 30_000,
    });
  });
});
