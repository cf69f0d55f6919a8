import { ANNOTATIONS, MANAGED_BY } from "../../bridges/names.ts";
import { isForbidden } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { VERSION } from "../../version.ts";
import type { Arguments } from "../arguments.ts";
import { type Connection, connect, sentenceOf } from "../connection.ts";
import { EXIT, type ExitCode } from "../failure.ts";
import type { VersionOutput } from "../outputs.ts";
import { serialised } from "../render/serialised.ts";
import { tableText } from "../render/table.ts";
import type { Terminal } from "../terminal.ts";

type VersionArguments = Pick<Arguments, "kubeconfig" | "context" | "namespace" | "clientOnly" | "output">;
type Environment = Readonly<Record<string, string | undefined>>;

/** By the chart's labels: it may be installed under any name, in any namespace, more than once. */
const OPERATORS = "app.kubernetes.io/name=llmbridge-operator";
const MADE = Object.entries(MANAGED_BY)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");
const VERSION_LABEL = "app.kubernetes.io/version";

/** `version`: of this tool, and of the operators, as far as the person may see them. */
export async function version(
  args: VersionArguments,
  environment: Environment,
  terminal: Terminal,
): Promise<ExitCode> {
  const found: VersionOutput = {
    client: { version: VERSION },
    ...(args.clientOnly ? {} : await operatorsOf(args, environment)),
  };
  terminal.write(args.output === undefined ? versionText(found) : serialised(found, args.output));
  return EXIT.ok;
}

async function operatorsOf(
  args: VersionArguments,
  environment: Environment,
): Promise<Pick<VersionOutput, "operators" | "unknown">> {
  let connection: Connection | undefined;
  try {
    connection = connect({ ...args, environment });
    const stored = await connection.client.list<Deployment>(resources.deployments, {
      labelSelector: OPERATORS,
    });
    return { operators: stored.map(operatorOf) };
  } catch (error) {
    const made = connection && isForbidden(error) ? await madeHere(connection) : "";
    return { unknown: `${sentenceOf(error)}${made}` };
  } finally {
    await connection?.close();
  }
}

/** What whoever may look into a namespace only can know: an operator notes its version on what it renders, and an older one may have done so. */
async function madeHere({ client, namespace }: Connection): Promise<string> {
  try {
    const stored = await client.list(resources.deployments, { namespace, labelSelector: MADE });
    const [newest] = stored
      .filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.renderer] !== undefined)
      .sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
    if (newest === undefined) return "";
    return `; version ${newest.metadata.annotations?.[ANNOTATIONS.renderer]} made the newest revision in namespace ${namespace}`;
  } catch {
    return "";
  }
}

const timeOf = ({ metadata }: KubeObject): string => metadata.creationTimestamp ?? "";

type Deployment = KubeObject & {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly { image?: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
};

function operatorOf({ metadata, spec, status }: Deployment): NonNullable<VersionOutput["operators"]>[number] {
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    version: metadata.labels?.[VERSION_LABEL] ?? "unknown",
    image: spec?.template?.spec?.containers?.[0]?.image ?? "",
    ready: status?.readyReplicas ?? 0,
  };
}

/** A line for each; what is not known says why. */
export function versionText({ client, operators, unknown }: VersionOutput): string {
  const rows = (operators ?? []).map((one) => [
    "operator",
    one.version,
    `${one.namespace}/${one.name}, image ${one.image}${one.ready === 0 ? ", no pod is ready" : ""}`,
  ]);
  const why = unknown ?? (operators?.length === 0 ? `no Deployment has the label ${OPERATORS}.` : undefined);
  return tableText([
    ["client", client.version, ""],
    ...rows,
    ...(why === undefined ? [] : [["operator", "unknown", why]]),
  ]);
}
