import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import type { Shape } from "../../operator/kube/protobuf.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { startApiServer } from "./api-server.ts";

/** One namespace of a real API server, and what its streamed lists tell. */
export interface Streamed {
  readonly client: KubeClient;
  /**
   * Every object of a resource as a streamed list tells of it, by name.
   * @param slim trims it for the cache
   * @param shape what is read of protocol buffers. Default: it comes as JSON
   */
  list<T extends KubeObject, Slim extends { readonly metadata: { readonly name: string } }>(
    resource: Resource,
    slim: (object: T) => Slim,
    shape?: Shape,
  ): Promise<readonly Slim[]>;
  down(): Promise<void>;
}

export async function openStreamed(namespace: string): Promise<Streamed> {
  const server = await startApiServer();
  const client = createClient(server.transport());
  await client.create(resources.namespaces, { metadata: { name: namespace } });
  return {
    client,
    async list<T extends KubeObject, Slim extends { readonly metadata: { readonly name: string } }>(
      resource: Resource,
      slim: (object: T) => Slim,
      shape?: Shape,
    ) {
      const stop = new AbortController();
      const events = await client.watch<T>(resource, {
        ...{ namespace, initialEvents: true, timeoutSeconds: 60, signal: stop.signal },
        shape,
      });
      const found: Slim[] = [];
      for await (const event of events) {
        if (event.type === "BOOKMARK" && event.initialEventsEnd) break;
        if ("object" in event) found.push(slim(event.object));
      }
      stop.abort();
      return found.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    },
    down: () => server.down(),
  };
}
