import { stringify } from "yaml";
import { customResourceDefinition } from "../../operator/api/crd.ts";

/** Client-side `kubectl apply` keeps a copy of the object, as JSON, in an annotation; the API server bounds all of these at 256 KiB. */
const CRD_MAX_BYTES = 200_000;

const NOTICE = "# Generated from operator/api by `npm run generate`. Do not edit.\n";

/** The CRD as YAML, the same bytes for the same schema. Deep as it is, a fifth of the file would be the second space of each indentation. */
export function crdYaml(): string {
  const yaml =
    NOTICE + stringify(customResourceDefinition(), { lineWidth: 0, indent: 1, aliasDuplicateObjects: false });
  const bytes = Buffer.byteLength(yaml);
  if (bytes > CRD_MAX_BYTES) throw new Error(`the CRD has ${bytes} bytes, more than ${CRD_MAX_BYTES}`);
  return yaml;
}
