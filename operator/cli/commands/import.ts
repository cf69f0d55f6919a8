import { didYouMean } from "../../api/v1alpha1/did-you-mean.ts";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { lintManifest } from "../../api/v1alpha1/validate.ts";
import { objectionTo, type TakeOverObjection } from "../../bridges/take-over/objection.ts";
import { isAlreadyExists } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { OutputFormat } from "../arguments.ts";
import { BRIDGES, type Connection } from "../connection.ts";
import { CliFailure, EXIT, type ExitCode } from "../failure.ts";
import { type ImportedManifest, manifestOf, manifestText } from "../import/manifest-text.ts";
import type { Note } from "../import/parts.ts";
import { type OldThings, readOld } from "../import/read-old.ts";
import { translated } from "../import/translate.ts";
import { serialised } from "../render/serialised.ts";
import type { Terminal } from "../terminal.ts";

export interface ImportArguments {
  readonly words: readonly string[];
  readonly services: readonly string[];
  /** Of the bridge. Absent: that of the Deployment, where that is free. */
  readonly bridgeName: string | undefined;
  readonly apply: boolean;
  readonly output: OutputFormat | undefined;
}

/**
 * Writes the LLMBridge that takes over from a Deployment: to stdout, so that it is read before anything is done, or with --apply to the cluster. What it
 * cannot carry stands in comments, and where the output has none on stderr. With both --apply and -o it is printed as it is stored.
 */
export async function importDeployment(
  args: ImportArguments,
  connection: Connection,
  terminal: Terminal,
): Promise<ExitCode> {
  const deployment = deploymentOf(args.words[0] ?? "");
  const old = await readOld(connection, deployment, args);
  const { spec, notes } = translated(old.objects, old.bridgeName);
  const manifest = manifestOf({ name: old.bridgeName, namespace: connection.namespace }, spec);
  const issues = lintManifest(manifest).map(({ path, message }) => `${path}: ${message}`);
  const objection = whyNot(old, spec, connection.namespace);
  const all = [...old.notes, ...notes];
  const refusals = objection ? [objection.message] : [];
  const source = `Deployment "${deployment}" in namespace ${connection.namespace}`;
  if (args.apply) {
    if (issues.length > 0 || objection)
      throw new CliFailure(
        `nothing was written. ${[...issues, ...refusals].join(" ")} \`kubectl llmbridge import deployment/${deployment}\` without --apply writes the YAML to begin with.`,
      );
    const stored = await create(connection, manifest);
    tell(terminal, all);
    if (args.output !== undefined) {
      terminal.write(serialised(stored, args.output));
      return EXIT.ok;
    }
    terminal.write(
      `${old.bridgeName}: made. Deployment "${deployment}" serves as its stable version, and the first canary starts; \`kubectl llmbridge get ${old.bridgeName} -w\` shows it.\n`,
    );
    return EXIT.ok;
  }
  terminal.write(
    args.output === "json"
      ? serialised(manifest, args.output)
      : manifestText(manifest, { source, notes: all, refusals }),
  );
  if (args.output === "json")
    tell(terminal, [...refusals.map((message) => ({ about: "take-over", message })), ...all]);
  for (const issue of issues) terminal.warn(`error: ${issue}\n`);
  return issues.length > 0 ? EXIT.failed : EXIT.ok;
}

/** What the operator would say of the take-over, whatever else is missing in the spec. */
function whyNot(
  { bridgeName, seen }: OldThings,
  spec: LLMBridgeSpecInput,
  namespace: string,
): TakeOverObjection | undefined {
  const { scaling, replicas, pod, takeOver } = spec;
  const upstreams = [{ name: "x", protocol: "OpenAI", url: "http://x" }];
  const parsed = llmBridgeSpec.safeParse({
    ...{ image: "x", upstreams, takeOver, scaling },
    ...(replicas === undefined ? {} : { replicas }),
    ...(pod === undefined ? {} : { pod }),
  });
  const names = parsed.data?.takeOver;
  if (!parsed.success || names === undefined) return undefined;
  const bridge = { namespace, name: bridgeName, uid: "" };
  return objectionTo({ bridge, names, spec: parsed.data, seen });
}

function tell(terminal: Terminal, notes: readonly Note[]): void {
  for (const { about, message } of notes) terminal.warn(`warning: ${about}: ${message}\n`);
}

const KINDS = ["deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"];

function deploymentOf(word: string): string {
  const [kind = "", name, ...more] = word.split("/");
  if (name !== undefined && name !== "" && more.length === 0 && KINDS.includes(kind)) return name;
  const wrote = name === undefined ? `deployment/${word}` : `deployment/${name}`;
  const near = didYouMean(kind, KINDS);
  const why = name === undefined || near ? "" : ` Only Deployments are taken over, not ${kind}.`;
  throw new CliFailure(`import takes deployment/NAME; write ${wrote}.${why}`, EXIT.usage);
}

/** The bridge as it is stored from now on. */
async function create({ client, namespace }: Connection, manifest: ImportedManifest): Promise<KubeObject> {
  const { name } = manifest.metadata;
  try {
    return await client.create(BRIDGES, manifest);
  } catch (error) {
    if (isAlreadyExists(error))
      throw new CliFailure(
        `there is a bridge ${name} in namespace ${namespace} already, and a bridge that runs takes nothing over; give another name with --name, or delete that one.`,
      );
    throw error;
  }
}
