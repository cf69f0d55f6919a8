import type { KubeObject, OwnerReference } from "../../kube/object.ts";
import { apiVersionOf } from "../../kube/resources.ts";
import { RESOURCE_OF } from "../apply.ts";
import { CONFIG_COMPONENT } from "../desired/configmaps.ts";
import { REPLICA_FAILURE } from "../observed-children.ts";
import type { RequiredKind } from "../plan.ts";
import { type FixedPart, readFixed } from "./stored-revision.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string | undefined;
}

/** A child as the API server sends it, as far as it is read. */
interface RawChild extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly ownerReferences?: readonly OwnerReference[] };
  readonly spec?: {
    readonly replicas?: number;
    readonly type?: string | undefined;
    readonly selector?: unknown;
    readonly ports?: unknown;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
  readonly data?: Readonly<Record<string, string>> | undefined;
  /** Made here, from `data`. */
  readonly fixed?: FixedPart;
  readonly immutable?: boolean;
  readonly automountServiceAccountToken?: boolean | undefined;
}

/**
 * What of a child is kept in its cache: what is compared with the desired one (desired/), and of its metadata what tells it from others. What
 * the API server adds, such as status and addresses, would take room, and look like a change where nothing has changed.
 */
export function slimChild(kind: RequiredKind, child: KubeObject): KubeObject {
  const resource = RESOURCE_OF[kind];
  return {
    // Protocol buffers say it once for all, in their envelope.
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: metadataOf(child),
    ...said(kind, child),
  };
}

function metadataOf({ metadata }: RawChild): RawChild["metadata"] {
  const { annotations, deletionTimestamp, creationTimestamp } = metadata;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    labels: metadata.labels,
    ...(metadata.ownerReferences ? { ownerReferences: metadata.ownerReferences } : {}),
    ...(annotations ? { annotations } : {}),
    ...(creationTimestamp ? { creationTimestamp } : {}),
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
  };
}

function said(kind: RequiredKind, child: RawChild): Partial<RawChild> {
  const { spec = {}, status } = child;
  switch (kind) {
    case "deployments": {
      // Their template is compared with nothing. Of their status only why they cannot make pods is of interest.
      const told = status?.conditions?.filter(({ type }) => type === REPLICA_FAILURE) ?? [];
      const conditions = told.map(({ type, status: value, message }) => ({ type, status: value, message }));
      return { spec: { replicas: spec.replicas ?? 1 }, status: { conditions } };
    }
    case "services":
      return { spec: { type: spec.type, selector: spec.selector, ports: spec.ports } };
    case "configmaps":
      return saidByConfigMap(child);
    case "serviceaccounts":
      return { automountServiceAccountToken: child.automountServiceAccountToken };
    default:
      return { spec };
  }
}

/**
 * Of a revision's immutable ConfigMap what it says and not its text: whoever looks at the bridge wants it parsed, and much of it is the same in all
 * revisions. Copies of the user's ConfigMaps never change and are compared with nothing: that one is there is all that is asked.
 */
function saidByConfigMap({ metadata, data, immutable }: RawChild): Partial<RawChild> {
  const component = metadata.labels?.["app.kubernetes.io/component"];
  return {
    ...(immutable === undefined ? {} : { immutable }),
    ...(component === CONFIG_COMPONENT ? { fixed: readFixed(data) } : {}),
    // Immutable ones are compared with nothing (difference.ts).
    ...(immutable === true ? {} : { data }),
  };
}
