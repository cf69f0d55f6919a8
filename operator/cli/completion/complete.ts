import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, connect } from "../connection.ts";
import { type Asked, candidates } from "./candidates.ts";

/** A person who has pressed Tab waits no longer. */
const DEADLINE_MS = 3_000;

/**
 * `__complete WORDS...`: what the last word could be, in the lines of cobra's `__complete`, which kubectl asks plugins for: each a word, perhaps a tab and
 * what it is, and at the end a colon and 0 where files are welcome, 4 where they are not. What cannot be read is left out.
 */
export async function complete(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { found, files } = await candidates(words, async (asked) => {
    let connection: Connection | undefined;
    try {
      connection = connect({ ...asked.place, environment });
      return await read(connection, asked);
    } catch {
      return [];
    } finally {
      await connection?.close();
    }
  });
  return [
    ...found.map(([word, what]) => (what === "" ? word : `${word}\t${what}`)),
    `:${files ? 0 : 4}`,
    "",
  ].join("\n");
}

async function read(
  { client, namespace }: Connection,
  asked: Asked,
): Promise<readonly (readonly [string, string])[]> {
  const options = { deadlineMs: DEADLINE_MS };
  if (asked.kind === "Namespaces") {
    const all = await client.list(resources.namespaces, options);
    return all.map(({ metadata }) => [metadata.name, ""]);
  }
  const bridges = (await client.list<KubeObject>(BRIDGES, { ...options, namespace })).map(bridgeView);
  if (asked.kind !== "Steps")
    return bridges.map(({ metadata, status }) => [metadata.name, status.phase ?? ""]);
  const steps = bridges.find(({ metadata }) => metadata.name === asked.name)?.spec.rollout.steps ?? [];
  return steps.map(({ name, weight }) => [name, `${weight}%`]);
}
