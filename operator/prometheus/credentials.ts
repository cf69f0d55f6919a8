import { readSecretLine } from "../egress/credential-file.ts";
import type { TlsFiles } from "../egress/tls-files.ts";

/** How a source knows us. All of it comes from the administrator's settings, nothing from a bridge. */
export interface SourceCredentials {
  /** File that holds a bearer token. */
  readonly bearerTokenFile?: string | undefined;
  readonly basicAuth?: { readonly username: string; readonly passwordFile: string } | undefined;
  readonly tls?: TlsFiles | undefined;
  /** Sent as they are. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Headers whose values are secret: name to file. */
  readonly headerFiles?: Readonly<Record<string, string>> | undefined;
}

/**
 * The headers of one query. Files are read for every query, so that what was rotated is used at once.
 * @throws CredentialError where a file cannot be used
 */
export async function credentialHeaders(source: SourceCredentials): Promise<Record<string, string>> {
  const { bearerTokenFile, basicAuth, headers = {}, headerFiles = {} } = source;
  const secret = await Promise.all(
    Object.entries(headerFiles).map(
      async ([name, file]): Promise<[string, string]> => [
        name,
        await readSecretLine(file, `headerFiles.${name}`),
      ],
    ),
  );
  return {
    ...headers,
    ...Object.fromEntries(secret),
    ...(bearerTokenFile === undefined
      ? {}
      : { authorization: `Bearer ${await readSecretLine(bearerTokenFile, "bearerTokenFile")}` }),
    ...(basicAuth === undefined ? {} : { authorization: await basic(basicAuth) }),
  };
}

async function basic({ username, passwordFile }: NonNullable<SourceCredentials["basicAuth"]>) {
  const password = await readSecretLine(passwordFile, "basicAuth.passwordFile");
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
