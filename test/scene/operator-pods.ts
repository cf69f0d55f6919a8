import { readdirSync, readFileSync } from "node:fs";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { OPERATOR_NAMESPACE, OPERATOR_RELEASE } from "./operator.ts";

interface LeaseObject extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string };
}

/** Name of the pod that leads; empty while none does. */
export async function leader(client: KubeClient): Promise<string> {
  const lease = await client.get<LeaseObject>(resources.leases, OPERATOR_NAMESPACE, OPERATOR_RELEASE);
  return lease.spec?.holderIdentity?.split("_")[0] ?? "";
}

/** Who holds the lease: differs between two starts of one pod. */
export async function leaderIdentity(client: KubeClient): Promise<string> {
  const lease = await client.get<LeaseObject>(resources.leases, OPERATOR_NAMESPACE, OPERATOR_RELEASE);
  return lease.spec?.holderIdentity ?? "";
}

/** SIGKILL for the operator in that pod, as the kernel would; kubelet starts it again in the same pod. */
export async function killOperator(client: KubeClient, pod: string): Promise<void> {
  process.kill(await operatorPid(client, pod), "SIGKILL");
}

/** Resident bytes of the operator in that pod. */
export async function operatorRssBytes(client: KubeClient, pod: string): Promise<number> {
  const status = readFileSync(`/proc/${await operatorPid(client, pod)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** The node is this machine, so its processes are ours to see; the pod's uid is in their cgroup. */
async function operatorPid(client: KubeClient, pod: string): Promise<number> {
  const { metadata } = await client.get(resources.pods, OPERATOR_NAMESPACE, pod);
  const uid = metadata.uid;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const cgroup = readFileSync(`/proc/${entry}/cgroup`, "utf8");
      const isOurs = cgroup.includes(uid) || cgroup.includes(uid.replaceAll("-", "_"));
      if (isOurs && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes("dist/operator/main.js"))
        return Number(entry);
    } catch {
      // It has ended since the folder was read.
    }
  }
  throw new Error(`No process of pod ${pod} (${uid}) is running.`);
}
