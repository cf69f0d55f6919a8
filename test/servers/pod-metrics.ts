import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { ApiServer } from "../cluster/api-server.ts";
import { Authority } from "../cluster/pki.ts";
import type { BridgeApi } from "../conformance/bridge-api.ts";

/** One pod's use, as a metrics-server would have measured it. */
export interface PodUse {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cpuMillicores: number;
}

/** What autoscalers are told; a test keeps it. */
export interface MetricsOracle {
  /** The pods of a namespace that a label selector chooses. */
  pods(namespace: string, labelSelector: string): Promise<readonly PodUse[]>;
  /** The value of a metric that belongs to no pod, such as the length of a queue. */
  external(namespace: string, metric: string): number;
}

export interface PodMetricsServer {
  /** Takes the APIs out of the API server again, and ends. */
  close(): Promise<void>;
}

const NAME = "pod-metrics";
const APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const SERVICES = "/api/v1/namespaces/default/services";
/** Each with what discovery says that it serves. */
const GROUPS = {
  "metrics.k8s.io": [
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ],
  "external.metrics.k8s.io": [],
};
type Group = keyof typeof GROUPS;
const VERSION = "v1beta1";
/** Over so long each use is said to be measured; an autoscaler leaves a pod out that was not ready for as long. */
const WINDOW = "1s";

/**
 * The two APIs that a HorizontalPodAutoscaler reads, behind the real aggregator of the API server: metrics.k8s.io, as a metrics-server serves
 * it, and external.metrics.k8s.io, as KEDA serves it. Ready when the API server says that it reaches both.
 */
export async function startPodMetrics(
  api: BridgeApi,
  { kubeconfigPath }: Pick<ApiServer, "kubeconfigPath">,
  oracle: MetricsOracle,
): Promise<PodMetricsServer> {
  const authority = new Authority(join(dirname(kubeconfigPath), "pki"));
  await authority.issue({ name: NAME, user: NAME, addresses: [`DNS:${NAME}.default.svc`] });
  const [key, cert] = ["key", "crt"].map((kind) => readFileSync(authority.path(`${NAME}.${kind}`)));
  const server = createServer({ key, cert }, (request, response) => {
    const url = new URL(request.url ?? "/", "https://localhost");
    answer(url, oracle).then(
      (body) => {
        response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(body ?? {}));
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const service = { namespace: "default", name: NAME, port };
  await api.request("POST", SERVICES, {
    metadata: { name: NAME },
    // The loopback is no address that endpoints may have, but a name may lead to it.
    spec: { type: "ExternalName", externalName: "localhost" },
  });
  const caBundle = readFileSync(authority.path("ca.crt"), "base64");
  const groups = Object.keys(GROUPS) as Group[];
  for (const group of groups) {
    await api.request("POST", APISERVICES, {
      metadata: { name: `${VERSION}.${group}` },
      spec: {
        ...{ group, version: VERSION, service, caBundle },
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    });
  }
  for (const group of groups) await untilAvailable(api, group);
  return {
    async close() {
      for (const group of groups) await api.request("DELETE", `${APISERVICES}/${VERSION}.${group}`);
      await api.request("DELETE", `${SERVICES}/${NAME}`);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function untilAvailable(api: BridgeApi, group: Group): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { status } = (await api.request("GET", `${APISERVICES}/${VERSION}.${group}`)) as {
      status?: { conditions?: readonly { type: string; status: string; message: string }[] };
    };
    const available = status?.conditions?.find(({ type }) => type === "Available");
    if (available?.status === "True") return;
    if (tries === 300) throw new Error(`${group} is not available: ${available?.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const NAMESPACED = /^\/apis\/([^/]+)\/v1beta1\/namespaces\/([^/]+)\/([^/]+)$/;

async function answer({ pathname, searchParams }: URL, oracle: MetricsOracle): Promise<object | undefined> {
  const discovered = (Object.keys(GROUPS) as Group[]).find(
    (group) => pathname === `/apis/${group}/${VERSION}`,
  );
  if (discovered !== undefined)
    return {
      ...{ kind: "APIResourceList", apiVersion: "v1" },
      ...{ groupVersion: `${discovered}/${VERSION}`, resources: GROUPS[discovered] },
    };
  const [, group, namespace = "", last = ""] = NAMESPACED.exec(pathname) ?? [];
  const timestamp = new Date().toISOString();
  const apiVersion = `${group}/${VERSION}`;
  if (group === "external.metrics.k8s.io") {
    const value = `${Math.round(oracle.external(namespace, last) * 1000)}m`;
    const item = { metricName: last, metricLabels: {}, timestamp, value };
    return { kind: "ExternalMetricValueList", apiVersion, metadata: {}, items: [item] };
  }
  if (group !== "metrics.k8s.io" || last !== "pods") return undefined;
  const pods = await oracle.pods(namespace, searchParams.get("labelSelector") ?? "");
  const items = pods.map(({ name, labels, cpuMillicores }) => ({
    metadata: { name, namespace, labels, creationTimestamp: timestamp },
    ...{ timestamp, window: WINDOW },
    containers: [{ name: "bridge", usage: { cpu: `${Math.round(cpuMillicores)}m`, memory: "64Mi" } }],
  }));
  return { kind: "PodMetricsList", apiVersion, metadata: {}, items };
}
