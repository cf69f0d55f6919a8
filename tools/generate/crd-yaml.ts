import { stringify } from "yaml";
import { customResourceDefinition } from "../../operator/api/crd.ts";

/** Client-side `kubectl apply` keeps a copy of the object, as JSON, in an annotation; the API server bounds all of these at 256 KiB. */
const CRD_MAX_BYTES = 200_000;

const NOTICE = "# Generated from operator/api by `npm run generate`. Do not edit.\n";

/** The CRD as YAML, the same bytes for the same schema. */
export function crdYaml(): string {
  const crd = customResourceDefinition();
  const bytes = Buffer.byteLength(JSON.stringify(crd));
  if (bytes > CRD_MAX_BYTES) throw new Error(`the CRD has ${bytes} bytes, more than ${CRD_MAX_BYTES}`);
  return NOTICE + stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false });
}
