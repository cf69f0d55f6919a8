import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { createTransport, type Transport, type TransportOptions } from "../../operator/kube/transport.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { apiServerUp } from "../cluster/api-server.ts";

/** A real etcd and API server, and the runtime's own way to it. */
export interface ApiServer {
  /** A transport to it as cluster admin; closed with the server. */
  transport(options?: Partial<TransportOptions>): Transport;
  readonly kubeconfig: string;
  /** Ends the API server as a crash would; etcd keeps what it holds. */
  stopServer(): Promise<void>;
  /** Starts it again on the same port. Its watch cache begins empty: nothing can be watched from an earlier version. */
  startServer(): Promise<void>;
  down(): Promise<void>;
}

export async function startApiServer(extraFlags: readonly string[] = []): Promise<ApiServer> {
  const progress = createProgress({ write: (text) => process.stderr.write(text), nowMs: Date.now });
  const server = await apiServerUp({ progress, extraFlags });
  const kubeconfig = server.kubeconfigPath;
  const transports: Transport[] = [];
  return {
    kubeconfig,
    transport(options = {}) {
      const kubeConfig = loadKubeConfig({ kubeconfig });
      const transport = createTransport({ kubeConfig, userAgent: "runtime-test", ...options });
      transports.push(transport);
      return transport;
    },
    stopServer: () => server.stopServer(),
    startServer: () => server.startServer(),
    async down() {
      await Promise.all(transports.map((transport) => transport.close()));
      await server.down();
    },
  };
}
