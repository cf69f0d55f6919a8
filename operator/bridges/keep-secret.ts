import type { KubeClient } from "../kube/client.ts";
import { isAlreadyExists } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KeepSecretWrite } from "./apply.ts";
import { keptSecret, ownersOfCopies } from "./desired/kept-secret.ts";
import type { BridgeRef } from "./names.ts";
import type { SecretContents } from "./observe/secret-contents.ts";

/** The Secret holds something else than what was decided on. Nothing was written; the next look decides anew. */
export class SecretChanged extends Error {
  constructor(name: string) {
    super(`Secret "${name}" has changed again before it could be copied.`);
    this.name = "SecretChanged";
  }
}

/**
 * Makes the copy of a Secret that a revision keeps, owned by the revision's ConfigMaps. They are read by quorum: a copy that named an owner which is gone
 * would be removed at once.
 * @param client its writes are not waited for: no cache shows Secrets
 */
export async function keepSecret(
  { client, contents }: { readonly client: KubeClient; readonly contents: Pick<SecretContents, "content"> },
  bridge: BridgeRef,
  write: KeepSecretWrite,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { namespace } = bridge;
  const { revision, name, from, keys, fingerprint } = write;
  const data = contents.content({ namespace, name: from }, { name: from, keys }, fingerprint);
  if (!data) throw new SecretChanged(from);
  const owners = await Promise.all(
    ownersOfCopies(bridge.name, revision).map((owner) =>
      client.get(resources.configMaps, namespace, owner, { signal }),
    ),
  );
  try {
    await client.create(resources.secrets, keptSecret(bridge, revision, { name, from }, data, owners), {
      signal,
    });
  } catch (error) {
    // Made before; the answer, or the process, was lost.
    if (!isAlreadyExists(error)) throw error;
  }
}
