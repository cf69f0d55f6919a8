import type { KubeClient } from "../../kube/client.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { WatchEvent } from "../../kube/watch-event.ts";
import type { Connection } from "../connection.ts";
import { SAMPLE_STORED } from "./sample-bridge.ts";

/** A server that says what a test says, and when: what a real one does is in the suites with one. */
export interface Line {
  readonly connection: Connection;
  /** The object as it is read by `get`. */
  stored: KubeObject | Error;
  /** Sends an event on the watch that is open. */
  say(type: "MODIFIED" | "DELETED" | "ADDED", object: KubeObject): void;
  /** Breaks the watch, and each that is opened then while `isAway`. */
  breakWith(error: Error): void;
  isAway: Error | undefined;
}

let version = 100;

/** The sample with this status, as stored at a newer version. */
export function storedWith(status: object, metadata: object = {}): KubeObject {
  version += 1;
  const of = { ...SAMPLE_STORED.metadata, generation: 1, resourceVersion: String(version), ...metadata };
  return { ...SAMPLE_STORED, metadata: of, status } as KubeObject;
}

export function lineOf(first: KubeObject): Line {
  let events: WatchEvent<KubeObject>[] = [];
  let broken: Error | undefined;
  let more = Promise.withResolvers<void>();
  const put = (event: WatchEvent<KubeObject>) => {
    events.push(event);
    more.resolve();
  };
  const line: Line = {
    stored: first,
    isAway: undefined,
    say: (type, object) => {
      line.stored = object;
      put({ type, object } as WatchEvent<KubeObject>);
    },
    breakWith: (error) => {
      broken = error;
      more.resolve();
    },
    connection: { client: clientOf(), namespace: "ai", close: async () => {} },
  };
  function clientOf(): KubeClient {
    const get = async () => {
      if (line.stored instanceof Error) throw line.stored;
      return line.stored;
    };
    async function* watched(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
      const object = await get();
      yield { type: "ADDED", object } as WatchEvent<KubeObject>;
      yield {
        ...{ type: "BOOKMARK", initialEventsEnd: true },
        resourceVersion: object.metadata.resourceVersion ?? "1",
      } as WatchEvent<KubeObject>;
      events = [];
      const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      for (;;) {
        for (const event of events.splice(0)) yield event;
        await Promise.race([more.promise, ended]);
        signal.throwIfAborted();
        more = Promise.withResolvers<void>();
        if (broken === undefined) continue;
        const error = broken;
        broken = undefined;
        throw error;
      }
    }
    const watch = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      if (line.isAway) throw line.isAway;
      return watched(signal);
    };
    return { get, watch } as Partial<KubeClient> as KubeClient;
  }
  return line;
}
