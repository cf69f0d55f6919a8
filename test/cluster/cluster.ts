import type { BuiltImage } from "../images/build-image.ts";

/** What every suite that needs a cluster may rely on. */
interface AnyCluster {
  readonly kubeconfigPath: string;
  /** Prometheus as this machine reaches it. */
  readonly prometheusUrl: string;
  /** Prometheus as pods reach it. */
  readonly prometheusUrlInCluster: string;
  readonly kubectlPath: string;
  readonly helmPath: string;
}

/** The name of a program that a test may stop and start. */
export type ComponentName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "containerd"
  | "kubelet"
  | "kube-proxy"
  | "prometheus";

/** The cluster that this folder starts. */
export interface LocalCluster extends AnyCluster {
  readonly kind: "Local";
  /** False when the cluster was up already. */
  readonly startedHere: boolean;
  readonly workFolder: string;
  /** This machine's address as pods reach it: a server that listens there can be their upstream or database. */
  readonly hostAddress: string;
  /** `kubectl`, `helm` and `kubectl-llmbridge` for the PATH. */
  readonly binFolder: string;
  /** The API server's audit log: one JSON object per finished request. */
  readonly auditLogPath: string;
  readonly logFolder: string;
  /** Brings an image to the node; pods name it as it was built, with `imagePullPolicy: Never` or `IfNotPresent`. */
  loadImage(image: Pick<BuiltImage, "archive" | "name">, ...moreNames: readonly string[]): Promise<void>;
  /** Ends a component as a crash would (SIGTERM lets it finish what it does). Does nothing when it is stopped. */
  stop(component: ComponentName, signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts a stopped component with its old data, and waits until it is ready. */
  start(component: ComponentName): Promise<void>;
  stopPrometheus(): Promise<void>;
  startPrometheus(): Promise<void>;
}

/** Someone's own cluster, used because they named it. Nothing in it is stopped, and images are theirs to bring. */
export interface ExternalCluster extends AnyCluster {
  readonly kind: "External";
  readonly images: { readonly operator: string; readonly bridge: string; readonly model: string };
}

export type Cluster = LocalCluster | ExternalCluster;
