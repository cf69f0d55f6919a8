import type { CallOptions, JsonPatch, KubeClient } from "./client.ts";
import { ApiError, isInvalid } from "./errors.ts";
import type { KubeObject } from "./object.ts";
import { type Resource, resourceName } from "./resources.ts";

/**
 * Adds our finalizer to an object as it was read. Must succeed before the first side effect that a deletion would have to undo.
 *
 * The patch carries what it rests on, so that it changes neither another object of the same name nor the finalizers of others.
 * @returns the object as it is now; the same one when the finalizer is there already
 * @throws ApiError with reason Conflict when the object's finalizers changed since it was read; NotFound when it is gone; the server's own refusal where
 * they did not, as by an admission policy
 */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  finalizer: string,
  call: CallOptions = {},
): Promise<T> {
  const { uid, finalizers } = object.metadata;
  if (finalizers?.includes(finalizer)) return object;
  const patch: JsonPatch = [
    { op: "test", path: "/metadata/uid", value: uid },
    // Testing for null holds only where the list is absent.
    { op: "test", path: "/metadata/finalizers", value: finalizers?.length ? finalizers : null },
    finalizers?.length
      ? { op: "add", path: "/metadata/finalizers/-", value: finalizer }
      : { op: "add", path: "/metadata/finalizers", value: [finalizer] },
  ];
  const isAsRead = ({ metadata }: T): boolean =>
    metadata.uid === uid && sameTexts(metadata.finalizers ?? [], finalizers ?? []);
  return guarded(client, resource, object, { patch, isAsRead }, call);
}

/**
 * Removes our finalizer, and only ours, from an object as it was read.
 * @returns the object as it is now; the same one when the finalizer is not there
 * @throws as addFinalizer; NotFound means that the object is gone, which is what was wanted
 */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  finalizer: string,
  call: CallOptions = {},
): Promise<T> {
  const { uid, finalizers = [] } = object.metadata;
  const index = finalizers.indexOf(finalizer);
  if (index < 0) return object;
  const path = `/metadata/finalizers/${index}`;
  const patch: JsonPatch = [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path, value: finalizer },
    { op: "remove", path },
  ];
  const isAsRead = ({ metadata }: T): boolean =>
    metadata.uid === uid && metadata.finalizers?.[index] === finalizer;
  return guarded(client, resource, object, { patch, isAsRead }, call);
}

const sameTexts = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index]);

async function guarded<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  { patch, isAsRead }: { readonly patch: JsonPatch; readonly isAsRead: (now: T) => boolean },
  call: CallOptions,
): Promise<T> {
  const { namespace = "", name } = object.metadata;
  try {
    return await client.jsonPatch<T>(resource, namespace, name, patch, call);
  } catch (error) {
    if (!isInvalid(error) || error.code !== 422) throw error;
    // A failed test comes back as 422 with no further explanation, and as 422 comes what a policy refuses, which reading again does not help.
    if (isAsRead(await client.get<T>(resource, namespace, name, call))) throw error;
    throw new ApiError(`patch ${resourceName(resource)} ${namespace}/${name}`, 409, {
      reason: "Conflict",
      message: "its finalizers changed since it was read; read it again",
    });
  }
}
