import type { KubeObject, OwnerReference } from "../../kube/object.ts";
import {
  ANNOTATIONS,
  type BridgeRef,
  childLabels,
  revisionName,
  runtimeName,
  selectorLabels,
} from "../names.ts";

/** Label value of the component that copies of the user's Secrets are. */
const COMPONENT = "kept-secret";

/** Names of the ConfigMaps that a copy goes with: it is removed when both are, which the operator deletes with their revision. */
export const ownersOfCopies = (bridge: string, revision: string): readonly string[] => [
  revisionName(bridge, revision),
  runtimeName(bridge, revision),
];

const owner = ({ metadata: { name, uid } }: KubeObject): OwnerReference => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", name, uid },
});

/**
 * What a revision reads of a Secret of the user's, as it was when the revision was made. The garbage collector removes it with its revision, so that the
 * operator needs no right to delete or even to read a copy. Of two owners one may be deleted by hand, and comes back.
 * @param from name of the Secret
 * @param data in base64; only what is read
 * @param owners as the API server has them; none where nothing is made
 */
export function keptSecret(
  bridge: BridgeRef,
  revision: string,
  { name, from }: { readonly name: string; readonly from: string },
  data: Readonly<Record<string, string>>,
  owners: readonly KubeObject[],
) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: bridge.namespace,
      labels: { ...childLabels(bridge.name, COMPONENT), ...selectorLabels(bridge.name, revision) },
      annotations: { [ANNOTATIONS.keptFrom]: from },
      ...(owners.length > 0 ? { ownerReferences: owners.map(owner) } : {}),
    },
    // Whatever the type of the Secret: of one for TLS, say, a part would be refused.
    type: "Opaque",
    immutable: true,
    data,
  };
}
