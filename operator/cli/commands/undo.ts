import { type LLMBridgeSpec, llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { withoutNewerFields } from "../../bridges/observe/newer-fields.ts";
import { revisionHash } from "../../bridges/revision.ts";
import { restored, revisionSpec } from "../../bridges/revision-spec.ts";
import { isConflict } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Arguments } from "../arguments.ts";
import { type BridgeView, bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readStored } from "../connection.ts";
import { found } from "../diff/pick-revisions.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";
import { outcomeOf } from "../history/history.ts";
import { mergePatchOf } from "../merge-patch.ts";
import { operatorAnswer } from "../operator-answer.ts";
import { colours } from "../render/colour.ts";
import { ended } from "../render/sentence.ts";
import type { Terminal } from "../terminal.ts";
import { differingContent, restoreContent } from "../undo/restore-content.ts";
import { contentsOf, type StoredVersion, storedVersion } from "../undo/stored-version.ts";
import { readDeployments } from "./history.ts";
import { order } from "./order.ts";
import { reportOrder } from "./report-order.ts";

/** How often what was read is read again because status was written meanwhile. */
const TRIES = 5;

/**
 * `undo NAME [REVISION]`: what is on its way, or was promoted a moment ago, is aborted; what is at rest gets the spec of a version before. The operator
 * never writes a spec, so this tool does, bound to the object that it has read.
 */
export async function undo(
  args: Arguments & { readonly name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const warned = new Set<string>();
  const warn = (text: string) => {
    if (!warned.has(text)) terminal.warn(`${colours(terminal.coloured).warn("warning:")} ${text}\n`);
    warned.add(text);
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await undoOnce(args, connection, { ...terminal, warn });
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

async function undoOnce(
  args: Arguments & { readonly name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const { name } = args;
  const stored = await readStored(connection, name);
  const bridge = bridgeView(stored);
  const [, word] = args.words;
  if (word === undefined && isOnItsWay(bridge))
    return order({ ...args, command: "abort" }, connection, terminal);
  const present = specOf(stored, name);
  const asked = await askedRevision(connection, bridge, present);
  const target = targetOf(bridge, await readDeployments(connection, bridge), asked.revision, word);
  const doubt = whyNotTrusted(target, bridge);
  if (doubt !== undefined) terminal.warn(doubt);
  const version = await storedVersion(connection, target);
  const wanted = wantedSpec(present, version);
  const content = differingContent(wanted, { name, asked: asked.contents, target: version });
  await restoreContent(connection, content);
  const { uid, resourceVersion } = bridge.metadata;
  const raw = (stored as KubeObject & { spec: Readonly<Record<string, unknown>> }).spec;
  const parts = Object.keys(revisionSpec(present));
  const only = (spec: object) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => parts.includes(key)));
  const patch: object = mergePatchOf(only(raw), JSON.parse(JSON.stringify(only(wanted)))) ?? {};
  // Where content alone differs there is nothing to write to the bridge.
  if (content.length === 0 || Object.keys(patch).length > 0)
    await connection.client.mergePatch(BRIDGES, connection.namespace, name, {
      metadata: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      spec: patch,
    });
  const { revision } = target;
  if (content.length > 0) await seen(connection, args, revision, terminal);
  const put = content.map(({ kind, name: of }) => `${kind} "${of}" holds again what that revision keeps. `);
  const message = `the spec asks for revision ${revision} again (image ${wanted.image}). ${put.join("")}${howItGoes(bridge, target)}`;
  reportOrder(connection, args, { command: "undo", revision, outcome: "Done", message }, terminal);
}

/**
 * No generation tells of content, so that what status says may be of the content before: `status` would end with that. An operator of before does not note
 * the revision; nor is it noted while the spec is refused.
 */
async function seen(
  connection: Connection,
  args: Arguments & { readonly name: string },
  wanted: string,
  terminal: Terminal,
): Promise<void> {
  await operatorAnswer(
    connection,
    args,
    terminal,
    ({ status: { revision = wanted } }) => (revision === wanted ? revision : undefined),
    `what revision ${wanted} is made from is written and counts`,
  );
}

const MOVING = ["Preparing", "Stepping", "Holding", "Watching"];

const isOnItsWay = ({ status }: BridgeView): boolean => MOVING.includes(status.phase ?? "");

function specOf(stored: KubeObject, name: string): LLMBridgeSpec {
  const { spec } = withoutNewerFields((stored as { spec?: unknown }).spec);
  const parsed = llmBridgeSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  throw new CliFailure(`the spec of ${name} cannot be read; \`kubectl llmbridge lint\` says what is wrong.`);
}

/** What the present spec asks for. Of content of others that counts, only what came of it is known here. */
async function askedRevision(
  connection: Connection,
  { metadata: { name }, status: { phase, rollout } }: BridgeView,
  present: LLMBridgeSpec,
): Promise<{ readonly revision: string; readonly contents: StoredVersion["contents"] }> {
  const tried = [phase === "Aborted" ? rollout?.failed?.revision : undefined, rollout?.stableRevision];
  for (const revision of tried) {
    const contents = revision === undefined ? undefined : await contentsOf(connection, name, revision);
    if (revision !== undefined && revisionHash(present, contents) === revision) return { revision, contents };
  }
  return { revision: revisionHash(present), contents: undefined };
}

/** The revision to go back to. */
export function targetOf(
  bridge: BridgeView,
  deployments: readonly DeploymentView[],
  asked: string,
  word: string | undefined,
): DeploymentView {
  const { name } = bridge.metadata;
  const { rollout } = bridge.status;
  const marks = { stable: rollout?.stableRevision, canary: rollout?.canaryRevision };
  if (word !== undefined) {
    const target = found(word, name, deployments, marks);
    if (target.revision === asked)
      throw new CliFailure(`the spec of ${name} asks for revision ${asked} already.`);
    return target;
  }
  const before = asked === marks.stable ? rollout?.served : [marks.stable ?? ""];
  const target = before
    ?.map((revision) => deployments.find((one) => one.revision === revision))
    .find((one) => one !== undefined);
  if (target) return target;
  const { deployment } = bridge.status.takeOver ?? {};
  if (deployment !== undefined)
    throw new CliFailure(
      `before ${name} there was Deployment "${deployment}" alone; \`kubectl delete llmbridge ${name}\` gives the traffic back to it, once its pods are ready.`,
    );
  throw new CliFailure(
    `${name} has no version that was stable before; \`kubectl llmbridge history ${name}\` shows its revisions, \`undo ${name} REVISION\` goes to one.`,
  );
}

/** What a person should know of the revision that they go back to; undefined where nothing speaks against it. */
export function whyNotTrusted(target: DeploymentView, bridge: BridgeView): string | undefined {
  const { outcome, why } = outcomeOf(target, bridge);
  if (outcome !== "RolledBack") return undefined;
  const when = target.retiredAt === undefined ? "" : ` at ${target.retiredAt.replace(/\.\d+Z$/, "Z")}`;
  return `revision ${target.revision} was rolled back${when}${why === "" ? "." : `: ${ended(why)}`}`;
}

function wantedSpec(present: LLMBridgeSpec, { revision, spec, contents }: StoredVersion): LLMBridgeSpec {
  const parsed = llmBridgeSpec.safeParse(JSON.parse(JSON.stringify(restored(present, spec))));
  if (parsed.success && revisionHash(parsed.data, contents) === revision) return parsed.data;
  throw new CliFailure(
    `what is kept of revision ${revision} does not make that revision by the rules of this version of the tool; set the spec by hand (\`kubectl llmbridge diff\` shows what differs).`,
  );
}

function howItGoes({ status, spec }: BridgeView, { revision }: DeploymentView): string {
  const { served = [], stableRevision } = status.rollout ?? {};
  if (revision === stableRevision) return "It is the stable version: no pod changes.";
  return served.slice(0, spec.rollout.rollbackWindow).includes(revision)
    ? `It was stable before (rollbackWindow ${spec.rollout.rollbackWindow}): it gets all of the traffic as soon as its pods are ready.`
    : "It goes through the steps like any change.";
}
