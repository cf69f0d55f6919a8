import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";

/** Of every container in them. */
export const NO_PRIVILEGES = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** What every pod of a bridge has, those that serve and those of its gates' Jobs: an account without a token, no rights, and where it may run. */
export function podBasics(
  bridge: string,
  {
    nodeSelector,
    tolerations,
    imagePullSecrets,
  }: Pick<LLMBridgeSpec["pod"], "nodeSelector" | "tolerations" | "imagePullSecrets">,
) {
  return {
    serviceAccountName: bridge,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
    ...(imagePullSecrets.length > 0 ? { imagePullSecrets } : {}),
  };
}
