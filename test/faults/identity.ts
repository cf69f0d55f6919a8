import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Authority } from "../cluster/pki.ts";

interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** By what a proxy is known to its clients: a certificate of an authority of its own. */
export interface Identity {
  readonly server: KeyPair;
  /** Writes a kubeconfig with the first authority and a client certificate in it; its path. */
  writeKubeconfig(server: string): string;
  /** Writes a kubeconfig that names the file of the authority and that of a token; its path. */
  writeKubeconfigOfFiles(server: string, tokenFile: string): string;
  /** Makes another authority and a certificate of it; the file of the authority is not written yet. */
  next(): Promise<{ readonly server: KeyPair; writeAuthority(): void }>;
}

/** Keeps all of it in the folder. */
export async function createIdentity(folder: string): Promise<Identity> {
  const authorityPath = join(folder, "ca.crt");
  let made = 0;
  const make = async () => {
    const authority = new Authority(join(folder, `pki-${made++}`));
    mkdirSync(authority.folder);
    await authority.create();
    const addresses = ["DNS:localhost", "IP:127.0.0.1"];
    await authority.issue({ name: "server", user: "fault-proxy", addresses });
    const read = (file: string) => readFileSync(authority.path(file));
    return {
      authority,
      server: { cert: read("server.crt"), key: read("server.key") },
      /** Whole, as kubelet does. */
      writeAuthority() {
        writeFileSync(`${authorityPath}.next`, read("ca.crt"));
        renameSync(`${authorityPath}.next`, authorityPath);
      },
    };
  };
  const first = await make();
  first.writeAuthority();
  await first.authority.issue({ name: "client", user: "client" });
  return {
    server: first.server,
    writeKubeconfig(server) {
      const path = join(folder, "kubeconfig");
      first.authority.writeKubeconfig(path, "client", server);
      return path;
    },
    writeKubeconfigOfFiles(server, tokenFile) {
      const path = join(folder, "kubeconfig-of-files");
      const name = "files";
      const config = {
        apiVersion: "v1",
        kind: "Config",
        "current-context": name,
        clusters: [{ name, cluster: { server, "certificate-authority": authorityPath } }],
        users: [{ name, user: { tokenFile } }],
        contexts: [{ name, context: { cluster: name, user: name } }],
      };
      writeFileSync(path, JSON.stringify(config));
      return path;
    },
    next: make,
  };
}
