/** Raw JSON objects as the API server sends and takes them. Nothing is converted: times are strings, unknown fields stay. */

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}

/** Metadata of an object that the server has stored. */
interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly finalizers?: readonly string[] | undefined;
}

/** An object read from the server. */
export interface KubeObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata: ObjectMeta;
}

/** The body of a server-side apply or a create: only what the writer owns. */
export interface DesiredObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    /** The server refuses when there is no object of this name, or another one. */
    readonly uid?: string | undefined;
    /** The server refuses when the stored object has changed since; without a uid it creates a missing one all the same. */
    readonly resourceVersion?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly ownerReferences?: readonly OwnerReference[] | undefined;
    readonly finalizers?: readonly string[] | undefined;
  };
}

/** Name of an object within its resource; the key of reconciles, stores and queues. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`; the namespace is empty for cluster-scoped objects. */
export function formatKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

export function keyOf(object: { metadata: { namespace?: string | undefined; name: string } }): ObjectKey {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

/** Whether its deletion has begun; finalizers may keep it for as long as they like. */
export const isBeingDeleted = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

/** Owner references of a read object; ObjectMeta leaves them out so that narrower domain types stay assignable. */
export function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return (object.metadata as { ownerReferences?: readonly OwnerReference[] }).ownerReferences ?? [];
}

/** The reference that says who manages the object, if any: at most one has `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return ownersOf(object).find((owner) => owner.controller === true);
}
