import { settingsDocs } from "../../operator/settings/docs.ts";
import { chartCrd } from "./chart-crd.ts";
import { chartPermissions } from "./chart-permissions.ts";
import { valuesSchemaJson } from "./chart-values.ts";
import { cliReference } from "./cli-reference.ts";
import { crdYaml } from "./crd-yaml.ts";
import { resourceReference } from "./resource-reference.ts";

export interface GeneratedFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly content: string;
}

/** Everything that is generated, in memory. */
export function generatedFiles(): readonly GeneratedFile[] {
  const crd = crdYaml();
  return [
    { path: "crds/llmbridge.dev_llmbridges.yaml", content: crd },
    { path: "charts/llmbridge-operator/templates/crd.yaml", content: chartCrd(crd) },
    { path: "charts/llmbridge-operator/templates/_permissions.tpl", content: chartPermissions() },
    { path: "charts/llmbridge-operator/values.schema.json", content: valuesSchemaJson() },
    { path: "docs/reference/llmbridge.md", content: resourceReference() },
    { path: "docs/reference/kubectl-llmbridge.md", content: cliReference() },
    { path: "docs/reference/settings.md", content: settingsDocs() },
  ];
}
