import type { Status } from "./errors.ts";
import type { KubeObject } from "./object.ts";

/**
 * What the runtime rests on in answers of success. A proxy in front of the API server may answer 200 with anything: that is a request that
 * failed, and not an object without a name.
 */

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const metadataOf = (value: unknown) => membersOf(membersOf(value).metadata);

/** Whether it is an object as the server has stored it. */
export function isStored(answer: unknown): answer is KubeObject {
  const { name, uid, resourceVersion } = metadataOf(answer);
  return isText(name) && isText(uid) && isText(resourceVersion);
}

/** Whether it is the object of this name; one that was only tried (a dry run) has no version. */
export const isNamed = (answer: unknown, name: string): boolean => metadataOf(answer).name === name;

/** A list of the Kubernetes API. Without objects its `items` are empty or null; an answer without any is no list, and says of nothing that it is gone. */
export interface ListAnswer {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[] | null;
}

export function isList(answer: unknown): answer is ListAnswer {
  const { items } = membersOf(answer);
  if (!isText(metadataOf(answer).resourceVersion)) return false;
  return items === null || (Array.isArray(items) && items.every(isStored));
}

/** The object of a bookmark: a version alone. */
export const isBookmark = (object: unknown): object is KubeObject =>
  isText(metadataOf(object).resourceVersion);

/**
 * A failure as the server tells it; members of another type than the API's are left out, so that whoever asks what has failed can rely on them.
 * @param text what was answered; prose, of a proxy or load balancer, is its message
 */
export function statusOfText(text: string): Status {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return text === "" ? {} : { message: text.slice(0, 500) };
  }
  return statusOf(parsed);
}

export function statusOf(parsed: unknown): Status {
  const { code, reason, message, details } = membersOf(parsed);
  const { retryAfterSeconds, causes } = membersOf(details);
  return {
    ...(typeof code === "number" ? { code } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof message === "string" ? { message } : {}),
    ...(details === undefined
      ? {}
      : {
          details: {
            ...(typeof retryAfterSeconds === "number" ? { retryAfterSeconds } : {}),
            ...(Array.isArray(causes) ? { causes: causes.map(membersOf) } : {}),
          },
        }),
  };
}
