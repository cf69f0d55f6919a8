import { quantityBytes } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { StoredRevision } from "./runtime.ts";

interface RenderedPods {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly resources?: { readonly limits?: { readonly memory?: string } };
        }[];
      };
    };
  };
}

/** Memory limit of a revision's pods: as it was rendered, since an edit of the spec changes no running pod; the spec's where nothing is stored. */
export function memoryLimitBytes(
  stored: Pick<StoredRevision, "rendered"> | undefined,
  spec: Pick<LLMBridgeSpec, "resources">,
): number {
  const { containers } = (stored?.rendered as RenderedPods | undefined)?.spec?.template?.spec ?? {};
  return quantityBytes(containers?.[0]?.resources?.limits?.memory ?? spec.resources.limits.memory);
}
