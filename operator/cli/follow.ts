import type { WatchEvent } from "../kube/client.ts";
import { isGone } from "../kube/errors.ts";
import type { BridgeView } from "./bridge-view.ts";
import { BRIDGES, type Connection } from "./connection.ts";

/** A bridge as it is now, or that it is gone. */
export type Change = { readonly gone: boolean; readonly bridge: BridgeView };

/**
 * Every state of the bridges from now on, the present ones first, until the signal. Goes on where it was when the server ends a watch,
 * and begins anew (telling present states again) when its history is too short.
 */
export async function* follow(
  { client, namespace }: Pick<Connection, "client" | "namespace">,
  name: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
  while (!signal.aborted) {
    const page = await client.listPage<BridgeView>(BRIDGES, {
      namespace,
      fieldSelector,
      limit: 5000,
      signal,
    });
    for (const bridge of page.items) yield { gone: false, bridge };
    let resourceVersion: string | undefined = page.resourceVersion;
    while (resourceVersion !== undefined && !signal.aborted) {
      const events: AsyncIterable<WatchEvent<BridgeView>> = await client.watch<BridgeView>(BRIDGES, {
        ...{ namespace, fieldSelector, resourceVersion, signal },
        timeoutSeconds: 290,
      });
      for await (const event of events) {
        resourceVersion = versionAfter(event, resourceVersion);
        if (event.type === "BOOKMARK" || event.type === "ERROR") continue;
        yield { gone: event.type === "DELETED", bridge: event.object };
      }
    }
  }
}

function versionAfter(event: WatchEvent<BridgeView>, before: string | undefined): string | undefined {
  if (event.type === "ERROR") return undefined;
  return (
    (event.type === "BOOKMARK" ? event.resourceVersion : event.object.metadata.resourceVersion) ?? before
  );
}

/** Whether following ended because the person, or a deadline, ended it. */
export function endedBy(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && !isGone(error);
}
