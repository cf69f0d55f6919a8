import { stringify } from "yaml";
import { FILES } from "../../../contract/endpoints.ts";
import { TEMPLATE_KEY } from "../../bridges/desired/configmaps.ts";

/** A revision as texts that can be compared: its configuration file, its Node options one a line, and its Deployment. */
export type RevisionFiles = Readonly<Record<string, string>>;

const NODE_OPTIONS = "NODE_OPTIONS";

/**
 * The texts of a revision from its immutable ConfigMap. The revision's own hash, which is in names and labels, is masked: it differs
 * always and says nothing.
 */
export function revisionFiles(data: Readonly<Record<string, string>>, revision: string): RevisionFiles {
  const mask = (text: string) => text.replaceAll(revision, "REVISION");
  const { deployment, nodeOptions } = withoutNodeOptions(data[TEMPLATE_KEY] ?? "");
  return {
    [FILES.config]: mask(data[FILES.config] ?? ""),
    [NODE_OPTIONS]: nodeOptions,
    "deployment.yaml": mask(deployment),
  };
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
    deployment: stringify(deployment, { lineWidth: 0, aliasDuplicateObjects: false }),
    nodeOptions: options
      .split(" ")
      .filter((option) => option !== "")
      .map((option) => `${option}\n`)
      .join(""),
  };
}
