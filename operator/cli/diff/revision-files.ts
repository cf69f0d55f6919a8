import { FILES } from "../../../contract/endpoints.ts";
import { TEMPLATE_KEY } from "../../bridges/desired/configmaps.ts";
import { readContents } from "../../bridges/observe/stored-revision.ts";
import { asYaml } from "../render/serialised.ts";

/**
 * A revision as texts that can be compared: its configuration file, its Node options one a line, its Deployment, and marks of what it keeps of ConfigMaps
 * and Secrets.
 */
export type RevisionFiles = Readonly<Record<string, string>>;

const NODE_OPTIONS = "NODE_OPTIONS";
/** Of what a manifest alone would make nothing is known of contents, so there it is compared with nothing. */
export const CONTENTS = "contents";

/**
 * The texts of a revision from its immutable ConfigMap. The revision's own hash, which is in names and labels, is masked, and so is what tells makings of
 * a copy apart: they differ always and say nothing.
 */
export function revisionFiles(data: Readonly<Record<string, string>>, revision: string): RevisionFiles {
  const mask = (text: string) =>
    text.replaceAll(revision, "REVISION").replace(/(-REVISION-secret-\d+)-[0-9a-z]+/g, "$1");
  // Before it is YAML: a hash that looks like a number would leave its quotes behind.
  const { deployment, nodeOptions } = withoutNodeOptions(mask(data[TEMPLATE_KEY] ?? ""));
  return {
    [FILES.config]: mask(data[FILES.config] ?? ""),
    [NODE_OPTIONS]: nodeOptions,
    "deployment.yaml": deployment,
    ...contentsFile(data),
  };
}

/** Which contents differ, and not how: a Secret's is known to nobody here. Absent where the revision keeps none. */
function contentsFile(data: Readonly<Record<string, string>>): RevisionFiles {
  const { configMaps = {}, secrets = {} } = readContents(data) ?? {};
  const lines = (kind: string, marks: Readonly<Record<string, string>>) =>
    Object.entries(marks).map(([name, mark]) => `${kind} "${name}": ${mark === "" ? "absent" : mark}\n`);
  const all = [...lines("ConfigMap", configMaps), ...lines("Secret", secrets)];
  return all.length === 0 ? {} : { [CONTENTS]: all.join("") };
}

interface Deployment {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly containers?: readonly { env?: { name: string; value?: string }[] }[] };
    };
  };
}

/** The rendered Deployment as YAML; as it stands where it cannot be read. */
function withoutNodeOptions(json: string): { deployment: string; nodeOptions: string } {
  let deployment: Deployment;
  try {
    deployment = JSON.parse(json) as Deployment;
  } catch {
    return { deployment: json, nodeOptions: "" };
  }
  const [container] = deployment.spec?.template?.spec?.containers ?? [];
  const options = container?.env?.find(({ name }) => name === NODE_OPTIONS)?.value ?? "";
  if (container?.env) container.env = container.env.filter(({ name }) => name !== NODE_OPTIONS);
  return {
    deployment: asYaml(deployment),
    nodeOptions: options
      .split(" ")
      .filter((option) => option !== "")
      .map((option) => `${option}\n`)
      .join(""),
  };
}
