import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/setup/command.ts";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const DAYS = ["-days", "30"];

/** Who a certificate is for: `CN` is the user or server, `O` the group. */
export interface CertificateRequest {
  readonly name: string;
  readonly user: string;
  readonly group?: string;
  /** `DNS:...` and `IP:...`; only servers need them. */
  readonly addresses?: readonly string[];
}

/** A certificate authority of its own in a folder, made by openssl; nothing of it outlives the cluster. */
export class Authority {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  async create(): Promise<void> {
    await openssl([
      "req",
      "-x509",
      ...KEY,
      ...DAYS,
      "-subj",
      "/CN=llmbridge-test-ca",
      "-keyout",
      this.path("ca.key"),
      "-out",
      this.path("ca.crt"),
    ]);
  }

  /** The key pair that signs service account tokens. */
  async createTokenKeys(): Promise<void> {
    const key = this.path("tokens.key");
    await openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
    await openssl(["ec", "-in", key, "-pubout", "-out", this.path("tokens.pub")]);
  }

  /** Writes `<name>.crt` and `<name>.key`. */
  async issue(request: CertificateRequest): Promise<void> {
    const subject = `${request.group === undefined ? "" : `/O=${request.group}`}/CN=${request.user}`;
    const names = request.addresses?.length
      ? ["-addext", `subjectAltName=${request.addresses.join(",")}`]
      : [];
    await openssl([
      ...[
        "req",
        "-x509",
        ...KEY,
        ...DAYS,
        "-CA",
        this.path("ca.crt"),
        "-CAkey",
        this.path("ca.key"),
        "-subj",
        subject,
      ],
      ...[
        "-addext",
        "extendedKeyUsage=serverAuth,clientAuth",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        ...names,
      ],
      ...["-keyout", this.path(`${request.name}.key`), "-out", this.path(`${request.name}.crt`)],
    ]);
  }

  /** Writes a kubeconfig with everything in it, for the user of an issued certificate. */
  writeKubeconfig(path: string, certificate: string, server: string): void {
    const base64 = (file: string): string => readFileSync(this.path(file), "base64");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "llmbridge-test",
      clusters: [
        { name: "llmbridge-test", cluster: { server, "certificate-authority-data": base64("ca.crt") } },
      ],
      users: [
        {
          name: certificate,
          user: {
            "client-certificate-data": base64(`${certificate}.crt`),
            "client-key-data": base64(`${certificate}.key`),
          },
        },
      ],
      contexts: [{ name: "llmbridge-test", context: { cluster: "llmbridge-test", user: certificate } }],
    };
    // JSON is YAML too, and every reader of kubeconfigs takes it.
    writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  await run(["openssl", ...args]);
}
