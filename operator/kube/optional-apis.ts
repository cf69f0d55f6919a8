import type { Informer } from "./informer.ts";
import type { KubeObject } from "./object.ts";
import {
  type Availability,
  createOptionalApi,
  type OptionalApi,
  type OptionalApiOptions,
} from "./optional-api.ts";

export interface OptionalApisOptions<T extends KubeObject> extends Omit<OptionalApiOptions<T>, "namespace"> {
  /** The namespaces that are followed. Default: all, as one. */
  readonly namespaces?: readonly string[] | undefined;
}

/**
 * An API that need not be there, as each namespace has it: each of several is followed by itself, so that a right which is missing in one keeps
 * the API from no other.
 */
export interface OptionalApis<T extends KubeObject> {
  /** Unknown of a namespace that is not followed. */
  availability(namespace: string): Availability;
  /** The copy that holds the namespace's objects; undefined unless the API is served there. Not to be kept. */
  current(namespace: string): Informer<T> | undefined;
  /** Calls the handler whenever the availability is of another kind than before, in any namespace. */
  onAvailability(handler: () => void): void;
  /**
   * Hands over each new copy before it fills; what the handler returns is called when the copy is let go.
   * `holds` tells whether a namespace's objects are in that copy.
   */
  onCopy(handler: (copy: Informer<T>, holds: (namespace: string) => boolean) => () => void): void;
  /** Runs until the signal aborts; the promise then resolves, and nothing is known any more. Never rejects. May be called again after that. */
  start(signal: AbortSignal): Promise<void>;
}

/** Stands for every namespace, as it does for an informer. */
const ALL = "";

export function createOptionalApis<T extends KubeObject>(options: OptionalApisOptions<T>): OptionalApis<T> {
  const { namespaces, ...shared } = options;
  // By a set: a namespace that is named twice is followed once.
  const apis: ReadonlyMap<string, OptionalApi<T>> = new Map(
    [...new Set(namespaces ?? [ALL])].map((namespace) => [
      namespace,
      createOptionalApi({ ...shared, namespace }),
    ]),
  );
  const of = (namespace: string) => apis.get(namespace) ?? apis.get(ALL);
  return {
    availability: (namespace) => of(namespace)?.availability() ?? { kind: "Unknown" },
    current: (namespace) => of(namespace)?.current(),
    onAvailability(handler) {
      for (const api of apis.values()) api.onAvailability(handler);
    },
    onCopy(handler) {
      for (const api of apis.values())
        api.onCopy((copy) => handler(copy, (namespace) => of(namespace) === api));
    },
    async start(signal) {
      await Promise.all([...apis.values()].map((api) => api.start(signal)));
    },
  };
}
