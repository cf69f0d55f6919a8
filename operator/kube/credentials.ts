import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";

/** What it takes to open a connection and to be recognised on it, as of one moment. */
export interface Credentials {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path in front of /api and /apis; empty unless the server sits behind a proxy path. */
  readonly basePath: string;
  /** Authorization and impersonation. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<Record<string, unknown>>;
  readonly proxyUrl: string | undefined;
  /** Changes exactly when connections must be opened anew: server or TLS material, not the token. */
  readonly fingerprint: string;
}

/** TLS options of a request that a connection is made with. */
const TLS_FIELDS = ["ca", "cert", "key", "pfx", "passphrase", "servername", "rejectUnauthorized"] as const;

/**
 * Reads the current context once more: files of certificates and tokens, and credential plugins whose answer has run out.
 * @throws Error when a file is missing or a plugin fails
 */
export async function readCredentials(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error("the kubeconfig has no current cluster");
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);

  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
  const tokenFile: unknown = config.getCurrentUser()?.authProvider?.config?.tokenFile;
  // client-node would answer with what it read up to a minute ago, also after a 401.
  if (typeof tokenFile === "string")
    headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString("base64")}`;

  const tls: Record<string, unknown> = {};
  for (const field of TLS_FIELDS) {
    if (options[field] !== undefined) tls[field] = options[field];
  }
  const server = new URL(cluster.server);
  const proxyUrl = cluster.proxyUrl;
  if (proxyUrl?.startsWith("socks")) {
    throw new Error(`proxy ${proxyUrl} cannot be used: only http and https proxies are supported`);
  }
  return {
    origin: server.origin,
    basePath: server.pathname.replace(/\/+$/, ""),
    headers,
    tls,
    proxyUrl,
    fingerprint: fingerprintOf(server.origin, tls, proxyUrl),
  };
}

function fingerprintOf(origin: string, tls: Readonly<Record<string, unknown>>, proxyUrl = ""): string {
  const hash = createHash("sha256").update(origin).update("\0").update(proxyUrl);
  for (const [field, value] of Object.entries(tls)) {
    hash.update("\0").update(field).update("\0");
    hash.update(Buffer.isBuffer(value) ? value : String(value));
  }
  return hash.digest("hex");
}
