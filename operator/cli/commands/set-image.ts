import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { withoutNewerFields } from "../../bridges/observe/newer-fields.ts";
import { revisionHash } from "../../bridges/revision.ts";
import { isForbidden } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { stepsOf } from "../../rollout/plan.ts";
import type { Arguments } from "../arguments.ts";
import { type BridgeView, bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readStored } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import { placeOf } from "../place.ts";
import { withName } from "../status/with-name.ts";
import type { Terminal } from "../terminal.ts";
import { contentsOf } from "../undo/stored-version.ts";
import { reportOrder } from "./report-order.ts";

/** `set image NAME IMAGE`: one field of the object that was read, and what the operator is going to make of it. */
export async function setImage(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  const [, name = "", image = ""] = args.words;
  const parsed = llmBridgeSpec.shape.image.safeParse(image);
  if (!parsed.success)
    throw new CliFailure(`spec.image: ${parsed.error.issues.map(({ message }) => message).join(" ")}`);
  const stored = await readStored(connection, name);
  const bridge = bridgeView(stored);
  const told = { name, output: args.output };
  if (bridge.spec.image === image)
    return reportOrder(
      connection,
      told,
      { command: "set", image, outcome: "Unchanged", message: `its image is ${image} already.` },
      terminal,
    );
  const coming = whatComes(bridge, await revisionWith(stored, image, connection));
  await connection.client.mergePatch(BRIDGES, connection.namespace, name, {
    metadata: { uid: bridge.metadata.uid },
    spec: { image },
  });
  const where = placeOf(args);
  const message = `the image is ${image} now. ${withName(coming, name, where)} \`kubectl llmbridge status ${name}${where}\` follows it.`;
  reportOrder(connection, told, { command: "set", image, outcome: "Done", message }, terminal);
}

/** The revision that the spec makes with another image; undefined where this tool cannot tell. What is kept of ConfigMaps and Secrets counts, and stays. */
async function revisionWith(
  stored: KubeObject,
  image: string,
  connection: Connection,
): Promise<string | undefined> {
  const { spec } = withoutNewerFields((stored as { spec?: unknown }).spec);
  const parsed = llmBridgeSpec.safeParse(spec);
  if (!parsed.success) return undefined;
  const stable = bridgeView(stored).status.rollout?.stableRevision;
  const contents = stable === undefined ? undefined : await keptBy(connection, stored.metadata.name, stable);
  return revisionHash({ ...parsed.data, image }, contents);
}

/** Whoever may not read ConfigMaps may set an image all the same. */
async function keptBy(connection: Connection, name: string, revision: string) {
  try {
    return await contentsOf(connection, name, revision);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

const MOVING = ["Preparing", "Stepping", "Holding"];

/**
 * What the operator does with another image, in sentences.
 * @param revision that the spec makes with it, where that is known
 */
export function whatComes({ spec, status }: BridgeView, revision: string | undefined): string {
  const { rollout, phase } = status;
  const { paused, rollbackWindow } = spec.rollout;
  const canary = MOVING.includes(phase ?? "") ? rollout?.canaryRevision : undefined;
  const leaving = canary === undefined ? "" : `Canary ${canary} is withdrawn. `;
  if (rollout?.stableRevision === undefined)
    return "Nothing is stable yet: it becomes the first version, without steps.";
  if (revision !== undefined && revision === rollout.stableRevision)
    return `${leaving}That is the stable version, revision ${revision}: no pod of it changes.`;
  if (revision !== undefined && revision === rollout.failed?.revision)
    return `That is revision ${revision}, which was rolled back (${rollout.failed.reason}); it is not tried again before \`kubectl llmbridge retry\`.`;
  const resumed = paused ? " It is paused: that begins with `kubectl llmbridge resume`." : "";
  if (revision !== undefined && revision === rollout.previousRevision)
    return `That is revision ${revision}, which served before and is still ready: it takes the traffic back.`;
  if (revision !== undefined && rollout.served?.slice(0, rollbackWindow).includes(revision))
    return `${leaving}That is revision ${revision}, which was stable before (rollbackWindow ${rollbackWindow}): it gets all of the traffic as soon as its pods are ready, without steps.${resumed}`;
  const [step] = stepsOf(spec.rollout);
  const watched =
    phase === "Watching" && rollout.previousRevision !== undefined
      ? ` Revision ${rollout.previousRevision}, which is kept to return to, is given up for it.`
      : "";
  const first = step ? ` at step ${step.name} (${step.weight}%)` : "";
  return `${leaving}A canary starts${first}.${watched}${resumed}`;
}
