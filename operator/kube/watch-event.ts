import type { Status } from "./errors.ts";

/** On the bookmark that ends a streaming list. */
export const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export type ObjectEvent<T> = { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T };

export type WatchEvent<T> =
  | ObjectEvent<T>
  | {
      readonly type: "BOOKMARK";
      readonly resourceVersion: string;
      /** The objects that there were have all been told, and the events so far show the collection as of this version. */
      readonly initialEventsEnd: boolean;
    }
  | { readonly type: "ERROR"; readonly status: Status };
