import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settingsDocs } from "../../operator/settings/docs.ts";
import { withBlock } from "./block.ts";
import { chartAdmission } from "./chart-admission.ts";
import { chartCrd } from "./chart-crd.ts";
import { chartPermissions } from "./chart-permissions.ts";
import { valuesSchemaJson } from "./chart-values.ts";
import { cliReference } from "./cli-reference.ts";
import { crdYaml } from "./crd-yaml.ts";
import { phaseReference } from "./phase-reference.ts";
import { resourceReference } from "./resource-reference.ts";

export interface GeneratedFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly content: string;
}

const ROLLOUT_PAGE = "docs/concepts/rollout.md";

/** Everything that is generated, in memory. */
export function generatedFiles(): readonly GeneratedFile[] {
  const crd = crdYaml();
  return [
    { path: "crds/llmbridge.dev_llmbridges.yaml", content: crd },
    { path: "charts/llmbridge-operator/templates/crd.yaml", content: chartCrd(crd) },
    { path: "charts/llmbridge-operator/templates/_permissions.tpl", content: chartPermissions() },
    { path: "charts/llmbridge-operator/templates/admission-policies.yaml", content: chartAdmission() },
    { path: "charts/llmbridge-operator/values.schema.json", content: valuesSchemaJson() },
    { path: "docs/reference/llmbridge.md", content: resourceReference() },
    { path: "docs/reference/kubectl-llmbridge.md", content: cliReference() },
    { path: "docs/reference/settings.md", content: settingsDocs() },
    { path: ROLLOUT_PAGE, content: withBlock(pageAt(ROLLOUT_PAGE), "phases", phaseReference()) },
  ];
}

/** A page of which only a part is generated. */
const pageAt = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
