import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { createClient } from "./client.ts";
import { isUnauthorized, TransportError } from "./errors.ts";
import { loadKubeConfig } from "./kubeconfig.ts";
import { resources } from "./resources.ts";
import { createTransport, type Transport } from "./transport.ts";

let server: ApiServer;
let folder = "";
const token = "the-good-token";
let authority = "";
let serverUrl = "";
const open: Transport[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "credentials-"));
  const tokens = join(folder, "tokens.csv");
  writeFileSync(tokens, `${token},admin,admin,system:masters\n`);
  server = await startApiServer([`--token-auth-file=${tokens}`]);
  const cluster = loadKubeConfig({ kubeconfig: server.kubeconfig }).getCurrentCluster();
  serverUrl = cluster?.server ?? "";
  authority = Buffer.from(cluster?.caData ?? "", "base64").toString();
});
afterAll(async () => {
  await Promise.all(open.map((transport) => transport.close()));
  rmSync(folder, { recursive: true, force: true });
  await server?.down();
});

/** A client that reads authority and token from files, as in a pod. */
function fromFiles(name: string, first: { readonly token: string; readonly authority: string }) {
  const tokenFile = join(folder, `${name}-token`);
  const caFile = join(folder, `${name}-ca`);
  writeFileSync(tokenFile, first.token);
  writeFileSync(caFile, first.authority);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "files", server: serverUrl, caFile, skipTLSVerify: false },
    { name: "files", authProvider: { name: "tokenFile", config: { tokenFile } } },
  );
  const transport = createTransport({ kubeConfig: config, userAgent: "files", deadlineMs: 3000 });
  open.push(transport);
  const client = createClient(transport);
  return { tokenFile, caFile, ask: () => client.get(resources.namespaces, "", "default") };
}

describe("credentials", () => {
  it("are read again when the server refuses the token", async () => {
    const { ask, tokenFile } = fromFiles("token", { token: "old", authority });
    await expect(ask()).rejects.toSatisfy(isUnauthorized);
    writeFileSync(tokenFile, `${token}\n`);
    expect((await ask()).metadata.name).toBe("default");
    writeFileSync(tokenFile, "revoked");
    // Within a minute of the last read the good token is still used.
    expect((await ask()).metadata.name).toBe("default");
  });

  it("are read again when the server's certificate is not trusted, and lead to new connections", async () => {
    const wrong = readFileSync(new URL("../../test/kube/other-authority.pem", import.meta.url), "utf8");
    const { ask, caFile } = fromFiles("authority", { token, authority: wrong });
    await expect(ask()).rejects.toBeInstanceOf(TransportError);
    writeFileSync(caFile, authority);
    expect((await ask()).metadata.name).toBe("default");
  });

  it("stay in use while their files are being replaced", async () => {
    const { ask, caFile } = fromFiles("replaced", { token, authority });
    await ask();
    rmSync(caFile);
    expect((await ask()).metadata.name).toBe("default");
  });
});
