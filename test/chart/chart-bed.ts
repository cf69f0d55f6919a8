import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { buildTools } from "../../tools/setup/tools.ts";
import { type ApiServer, apiServerUp } from "../cluster/api-server.ts";
import { type BridgeApi, bridgeApi } from "../conformance/bridge-api.ts";
import { type Helm, helm } from "./helm.ts";

/** An API server of one's own, the real helm, and a namespace `operators` that admits only restricted pods. */
export interface ChartBed {
  readonly server: ApiServer;
  readonly helm: Helm;
  readonly api: BridgeApi;
  down(): Promise<void>;
}

export async function chartBed(): Promise<ChartBed> {
  const progress = createProgress({ write: () => {}, nowMs: Date.now });
  const tools = await buildTools(cacheRoot(process.env), progress, ["kubestack", "helm"]);
  const server = await apiServerUp({ progress });
  const api = bridgeApi(server.kubeconfigPath);
  const client = helm(tools.helm, server.kubeconfigPath);
  await api.request("POST", "/api/v1/namespaces", {
    metadata: {
      name: "operators",
      labels: {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
      },
    },
  });
  return {
    ...{ server, api, helm: client },
    async down() {
      client.close();
      await api.close();
      await server.down();
    },
  };
}
