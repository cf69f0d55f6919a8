import { createHmac, randomBytes } from "node:crypto";
import type { KubeClient } from "../../kube/client.ts";
import { isAlreadyExists, isNotFound } from "../../kube/errors.ts";
import type { KubeObject, ObjectKey } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { canonicalJson } from "../canonical.ts";
import { MANAGED_BY } from "../names.ts";

/** Secret in the operator's own namespace that holds its key. Operators in one namespace share it, so that a bridge may go from one to the other. */
export const FINGERPRINT_KEY = "llmbridge-secret-fingerprints";
const FIELD = "key";
const KEY_BYTES = 32;

/** Values as the API has them, in base64. */
export type SecretData = Readonly<Record<string, string>>;

/** Stands for what a Secret holds, in status and names that many may read. */
export type Fingerprint = (secret: ObjectKey, data: SecretData) => string;

/**
 * The operator's fingerprints: HMAC-SHA-256 (RFC 2104) under a key that only it can read, so that whoever reads one cannot try passwords against it, as
 * they could against a digest. Where the Secret is and what it is called goes in, so that equal contents of two Secrets do not show.
 */
export const fingerprintWith =
  (key: Buffer): Fingerprint =>
  ({ namespace, name }, data) =>
    createHmac("sha256", key).update(canonicalJson({ namespace, name, data })).digest("hex").slice(0, 32);

/**
 * The key, made where there is none. It has to outlast the process: with another key every content would look changed.
 * @param namespace the operator's own
 */
export async function fingerprintKey(client: KubeClient, namespace: string): Promise<Buffer> {
  return (await readKey(client, namespace)) ?? (await makeKey(client, namespace));
}

async function readKey(client: KubeClient, namespace: string): Promise<Buffer | undefined> {
  try {
    const { data } = await client.get<KubeObject & { data?: SecretData }>(
      resources.secrets,
      namespace,
      FINGERPRINT_KEY,
    );
    const key = Buffer.from(data?.[FIELD] ?? "", "base64");
    if (key.length >= KEY_BYTES) return key;
    throw new Error(
      `Secret "${FINGERPRINT_KEY}" in namespace ${namespace} has no key of ${KEY_BYTES} bytes; delete it, and the operator makes one.`,
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function makeKey(client: KubeClient, namespace: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  const secret = {
    metadata: { namespace, name: FINGERPRINT_KEY, labels: MANAGED_BY },
    type: "Opaque",
    immutable: true,
    data: { [FIELD]: key.toString("base64") },
  };
  try {
    await client.create(resources.secrets, secret);
    return key;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const made = await readKey(client, namespace);
    if (made) return made;
    throw error;
  }
}
