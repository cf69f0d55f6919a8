import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import { CredentialError, readMounted } from "./credential-file.ts";

export interface TlsFiles {
  /** Authorities that the host's certificate is checked by, in place of the public ones. */
  readonly caFile?: string | undefined;
  /** Certificate and key by which the host knows us; both or none. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name that the host's certificate must hold, where the URL has another. */
  readonly serverName?: string | undefined;
}

export interface TlsMaterial {
  /** As node:tls takes them. */
  readonly options: Readonly<Record<string, string>>;
  /** Changes exactly when connections must be opened anew. */
  readonly fingerprint: string;
}

/**
 * Reads the files as they are now.
 * @throws CredentialError where one cannot be read, or holds what TLS cannot use
 */
export async function readTls(files: TlsFiles | undefined): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    optional(files?.caFile, "tls.caFile"),
    optional(files?.certFile, "tls.certFile"),
    optional(files?.keyFile, "tls.keyFile"),
  ]);
  const options = Object.fromEntries(
    Object.entries({ ca, cert, key, servername: files?.serverName }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const fingerprint = createHash("sha256").update(JSON.stringify(options)).digest("hex");
  return { options, fingerprint };
}

/** @throws CredentialError where node:tls would refuse the material at every connection */
export function checkTls({ options: { ca, cert, key } }: TlsMaterial): void {
  // Node takes a file of authorities without any for no authorities at all.
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new CredentialError("The file of tls.caFile holds no PEM certificate.");
  }
  try {
    createSecureContext({ ca, cert, key });
  } catch {
    const files = cert === undefined ? "tls.caFile holds" : "tls.certFile and tls.keyFile hold";
    throw new CredentialError(
      `The files of ${files} no PEM that TLS can use; check that they are whole and, with a key, that it is the certificate's.`,
    );
  }
}

async function optional(file: string | undefined, field: string): Promise<string | undefined> {
  return file === undefined ? undefined : readMounted(file, field);
}
