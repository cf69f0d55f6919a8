import { COMMAND_ANNOTATION, type Command, command } from "../../api/v1alpha1/commands.ts";
import type { KubeObject } from "../../kube/object.ts";

/** The command of the bridge's annotation; undefined where there is none, or none that can be read. */
export function commandGivenTo(object: KubeObject): Command | undefined {
  const text = object.metadata.annotations?.[COMMAND_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    return command.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
