import { isGone } from "../kube/errors.ts";
import type { KubeObject } from "../kube/object.ts";
import { type BridgeView, bridgeView } from "./bridge-view.ts";
import { BRIDGES, type Connection } from "./connection.ts";
import { live } from "./live.ts";

/** A bridge as it is now, or that it is gone. */
export type Change = { readonly gone: boolean; readonly bridge: BridgeView };

/** Every state of the bridges from now on, the present ones first, until the signal. States in between may be left out. */
export async function* follow(
  connection: Pick<Connection, "client" | "namespace">,
  name: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  for await (const changes of followTogether(connection, name, signal)) yield* changes;
}

/** The same by what came together: first all that there is, which may be nothing. `onTrouble` is called when changes stop coming in. */
export async function* followTogether(
  { client, namespace }: Pick<Connection, "client" | "namespace">,
  name: string | undefined,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void = () => {},
): AsyncGenerator<readonly Change[]> {
  const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  let come: Change[] = [];
  let more = Promise.withResolvers<void>();
  until.addEventListener("abort", () => more.resolve(), { once: true });
  const put = (object: KubeObject, gone: boolean) => {
    come.push({ gone, bridge: bridgeView(object) });
    more.resolve();
  };
  try {
    const bridges = await live<KubeObject>(
      client,
      { resource: BRIDGES, namespace, fieldSelector },
      (change, error) => (change ? put(change.object, change.kind === "deleted") : onTrouble(error)),
      until,
    );
    yield bridges.list().map((object) => ({ gone: false, bridge: bridgeView(object) }));
    for (;;) {
      if (come.length === 0) await more.promise;
      signal.throwIfAborted();
      const changes = come;
      come = [];
      more = Promise.withResolvers<void>();
      if (changes.length > 0) yield changes;
    }
  } finally {
    ended.abort();
  }
}

/** Whether following ended because the person, or a deadline, ended it. */
export function endedBy(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && !isGone(error);
}
