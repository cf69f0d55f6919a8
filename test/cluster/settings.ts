import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { SetupProblem } from "../../tools/setup/problem.ts";

/** Addresses, ports and names of a test cluster. Clusters of different networks do not touch each other. */
export interface ClusterSettings {
  /** Everything the cluster writes is below this folder; it is removed by `down`. */
  readonly workFolder: string;
  readonly cache: string;
  /** `10.x`: the first half of every address below. */
  readonly network: string;
  /** Host side of the veth pair that joins the node. */
  readonly link: string;
  /** The node's pods live below this cgroup, so that a real kubelet's `kubepods` is never touched. */
  readonly cgroup: string;
  /** Where etcd listens, which lets everybody in: an address of the loopback that pods cannot reach. */
  readonly loopback: string;
  readonly hostAddress: string;
  readonly nodeAddress: string;
  readonly linkRange: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly kubernetesServiceAddress: string;
  readonly dnsAddress: string;
  readonly ports: {
    readonly etcd: number;
    readonly etcdPeer: number;
    readonly api: number;
    readonly prometheus: number;
  };
}

/** Name of the node object. */
export const NODE_NAME = "node-1";

const DEFAULT_NETWORK = "10.213";
/** The longest path of a unix socket is 107 bytes; the longest one that is made below the work folder has 40. */
const LONGEST_WORK_FOLDER = 66;

const WORK_FOLDER = "cluster-";

/** Whether a path is where some cluster keeps its own. */
export const isWorkFolder = (path: string): boolean => /^cluster-\d+$/.test(basename(path));

/**
 * Reads the settings from the environment: `LLMBRIDGE_CACHE` (the work folder is `cluster-<n>` in it) and
 * `LLMBRIDGE_CLUSTER_NETWORK` (`10.213` by default) for machines on which that range is taken, or for a second cluster.
 */
export function clusterSettings(env: NodeJS.ProcessEnv): ClusterSettings {
  const network = env.LLMBRIDGE_CLUSTER_NETWORK ?? DEFAULT_NETWORK;
  if (!/^10\.(25[0-5]|2[0-4]\d|1?\d?\d)$/.test(network)) {
    throw new SetupProblem(
      `LLMBRIDGE_CLUSTER_NETWORK is "${network}"; write two numbers such as ${DEFAULT_NETWORK}, the first one 10.`,
    );
  }
  const number = network.slice("10.".length);
  const cache = cacheRoot(env);
  const workFolder = join(cache, `${WORK_FOLDER}${number}`);
  if (Buffer.byteLength(workFolder) > LONGEST_WORK_FOLDER) {
    throw new SetupProblem(
      `${workFolder} is longer than ${LONGEST_WORK_FOLDER} bytes, too long for unix sockets below it; set LLMBRIDGE_CACHE to a shorter path.`,
    );
  }
  return {
    cache,
    workFolder,
    network,
    link: `llmbridge${number}`,
    cgroup: `llmbridge-test-${number}`,
    loopback: `127.${number}.0.1`,
    hostAddress: `${network}.0.1`,
    nodeAddress: `${network}.0.2`,
    linkRange: `${network}.0.0/24`,
    podRange: `${network}.64.0/20`,
    serviceRange: `${network}.128.0/18`,
    kubernetesServiceAddress: `${network}.128.1`,
    dnsAddress: `${network}.128.10`,
    ports: { etcd: 2379, etcdPeer: 2380, api: 6443, prometheus: 9090 },
  };
}

/** The network of a cluster that stands beside the one that the environment asks for; clusters with different `by` do not meet. */
export function siblingNetwork(env: NodeJS.ProcessEnv, by: number): string {
  const number = Number(clusterSettings(env).network.slice("10.".length));
  return `10.${(number + by) % 256}`;
}

/** The other clusters that this machine has now, up or being started or removed. */
export function otherClusters({ cache, workFolder }: ClusterSettings): ClusterSettings[] {
  const names = existsSync(cache) ? readdirSync(cache) : [];
  return names
    .filter((name) => isWorkFolder(name) && join(cache, name) !== workFolder)
    .map((name) =>
      clusterSettings({
        LLMBRIDGE_CACHE: cache,
        LLMBRIDGE_CLUSTER_NETWORK: `10.${name.slice(WORK_FOLDER.length)}`,
      }),
    );
}
