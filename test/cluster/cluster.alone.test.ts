import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError, run } from "../../tools/setup/command.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { PAUSE_IMAGE } from "../images/support.ts";
import { leftovers } from "./cleanup.ts";
import type { LocalCluster } from "./cluster.ts";
import { type MachineState, machineState } from "./machine-state.ts";
import { linkExists } from "./network.ts";
import { isAlive, kill, ownedBy } from "./processes.ts";
import { clusterSettings, siblingNetwork } from "./settings.ts";
import { readState } from "./state.ts";
import { until } from "./until.ts";
import { clusterDown, clusterUp } from "./up.ts";

// A network of its own, so that these tests never stop the cluster that somebody works with.
const env = { ...process.env, LLMBRIDGE_CLUSTER_NETWORK: siblingNetwork(process.env, 2) };
const settings = clusterSettings(env);
const notes: string[] = [];
const progress = createProgress({ write: (text) => notes.push(text), nowMs: Date.now });

let before: MachineState;
let cluster: LocalCluster;

const kubectl = (args: readonly string[], input = ""): Promise<string> =>
  run([cluster.kubectlPath, "--kubeconfig", cluster.kubeconfigPath, ...args], { input });

function pausePod(name: string, annotations: Record<string, string> = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "pause", image: PAUSE_IMAGE, imagePullPolicy: "Never" }],
    },
  });
}

async function runPod(name: string, annotations?: Record<string, string>): Promise<void> {
  await until("the default service account", 20_000, async () => {
    await kubectl(["get", "serviceaccount", "default"]);
    return undefined;
  });
  await kubectl(["apply", "-f", "-"], pausePod(name, annotations));
  await kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=30s"]);
}

beforeAll(async () => {
  await clusterDown({ progress, env });
  before = await machineState(settings);
  cluster = await clusterUp({ progress, env }); // builds what is missing
  await clusterDown({ progress, env });
});

afterAll(async () => {
  await clusterDown({ progress, env });
});

describe("a cluster that is up", () => {
  beforeAll(async () => {
    const startMs = performance.now();
    cluster = await clusterUp({ progress, env });
    console.log(`cluster up, warm: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  });

  it("was started here", () => {
    expect(cluster.startedHere).toBe(true);
  });

  it("is Kubernetes 1.35 and runs a pod to Ready", async () => {
    const version = JSON.parse(await kubectl(["version", "--output=json"])) as {
      serverVersion: { minor: string };
    };
    expect(version.serverVersion.minor).toBe("35");
    await runPod("plain");
  });

  it("finds kubectl plugins beside kubectl", async () => {
    const names = await run([cluster.kubectlPath, "plugin", "list", "--name-only"], {
      env: { PATH: `${cluster.binFolder}:${process.env.PATH}`, HOME: cluster.workFolder },
    });
    expect(names).toContain("kubectl-llmbridge");
  });

  it("answers on a ClusterIP and resolves its name", async () => {
    const { Resolver } = await import("node:dns/promises");
    const resolver = new Resolver();
    resolver.setServers([settings.dnsAddress]);
    expect(await resolver.resolve4("kube-dns.kube-system.svc.cluster.local")).toEqual([settings.dnsAddress]);
    const [address] = await resolver.resolve4("prometheus.monitoring.svc.cluster.local");
    expect(address).toMatch(new RegExp(`^${settings.network.replace(".", "\\.")}\\.`));
  });

  it("makes Prometheus scrape annotated pods, with namespace and pod as labels", async () => {
    // CoreDNS is the one thing here that serves metrics; its pod gets the annotations.
    await kubectl([
      "--namespace=kube-system",
      "annotate",
      "pod",
      "--selector=k8s-app=kube-dns",
      "prometheus.io/scrape=true",
      "prometheus.io/port=8080",
      "prometheus.io/path=/health",
    ]);
    await until("Prometheus to scrape the pod", 20_000, async () => {
      const answer = await fetch(`${cluster.prometheusUrl}/api/v1/targets?state=active`);
      const { data } = (await answer.json()) as {
        data: { activeTargets: { labels: Record<string, string>; scrapeUrl: string }[] };
      };
      const target = data.activeTargets.find((one) => one.labels.namespace === "kube-system");
      if (target === undefined) return "no target yet";
      expect(target.labels.pod).toMatch(/^coredns-/);
      expect(target.scrapeUrl).toMatch(/:8080\/health$/);
      return undefined;
    });
  });

  it("loses Prometheus and gets it back, its data kept", async () => {
    const series = async (): Promise<number> => {
      const answer = await fetch(`${cluster.prometheusUrl}/api/v1/query?query=count_over_time(up[1h])`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1] ?? 0);
    };
    await until("a sample", 10_000, async () => ((await series()) > 0 ? undefined : "none yet"));
    await cluster.stopPrometheus();
    await expect(fetch(`${cluster.prometheusUrl}/-/ready`)).rejects.toThrow();
    await cluster.startPrometheus();
    expect(await series()).toBeGreaterThan(0);
  });

  it("loses its API server and gets it back, pods untouched", async () => {
    const uid = await kubectl([
      "get",
      "pod",
      "plain",
      "--output=jsonpath={.metadata.uid}{.status.containerStatuses[0].restartCount}",
    ]);
    await cluster.stop("kube-apiserver");
    await expect(kubectl(["get", "pods", "--request-timeout=1s"])).rejects.toThrow(CommandError);
    await cluster.start("kube-apiserver");
    expect(
      await kubectl([
        "get",
        "pod",
        "plain",
        "--output=jsonpath={.metadata.uid}{.status.containerStatuses[0].restartCount}",
      ]),
    ).toBe(uid);
  });

  it("writes the audit log of what people do", async () => {
    await kubectl(["create", "configmap", "seen-in-audit"]);
    await until("the line", 10_000, async () =>
      readFileSync(cluster.auditLogPath, "utf8").includes('"name":"seen-in-audit"') ? undefined : "not yet",
    );
  });

  it("a missing image fails at once, because the node reaches no registry", async () => {
    const spec = { containers: [{ name: "c", image: "registry.invalid/none:1" }] };
    await kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "absent" }, spec }),
    );
    await kubectl([
      "wait",
      "pod/absent",
      "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull",
      "--timeout=20s",
    ]);
  });

  it("is not started again by a second up", async () => {
    const pids = ownedBy(settings.workFolder).map((id) => id.pid);
    const second = await clusterUp({ progress, env });
    expect(second.startedHere).toBe(false);
    expect(ownedBy(settings.workFolder).map((id) => id.pid)).toEqual(expect.arrayContaining(pids));
  });

  it("leaves nothing behind when it is stopped", async () => {
    const processes = ownedBy(settings.workFolder);
    expect(processes.length).toBeGreaterThan(8);
    const startMs = performance.now();
    await clusterDown({ progress, env });
    console.log(`cluster down: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(leftovers(settings)).toEqual([]);
    expect(await machineState(settings)).toEqual(before);
  });
});

describe("after a crash", () => {
  it("a cluster whose every process was killed is replaced by the next up", async () => {
    cluster = await clusterUp({ progress, env });
    await runPod("victim");
    await kill(ownedBy(settings.workFolder));
    cluster = await clusterUp({ progress, env });
    expect(cluster.startedHere).toBe(true);
    expect(notes.join("")).toContain("is not healthy");
    await runPod("successor");
    await expect(kubectl(["get", "pod", "victim"])).rejects.toThrow(/not found/i);
  });

  it("a cluster that lost one part is replaced too", async () => {
    const kubelet = readState(settings.workFolder)?.running.kubelet;
    if (kubelet === undefined) throw new Error("the state knows no kubelet");
    // Waits until it is gone: an up that comes before that finds a healthy cluster, and is right.
    await kill([kubelet.process]);
    cluster = await clusterUp({ progress, env });
    expect(cluster.startedHere).toBe(true);
  });

  it("a starter killed in the middle leaves nothing that the next up does not remove", async () => {
    await clusterDown({ progress, env });
    const starter = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "up"], {
      env,
      stdio: "ignore",
    });
    const ended = once(starter, "exit");
    await until(
      "the node's link",
      20_000,
      async () => (linkExists(settings.link) ? undefined : "no link yet"),
      5,
    );
    starter.kill("SIGKILL");
    await ended;
    expect(leftovers(settings)).not.toEqual([]);
    expect(existsSync(`${settings.workFolder}.lock`)).toBe(true);
    cluster = await clusterUp({ progress, env });
    expect(cluster.startedHere).toBe(true);
    await clusterDown({ progress, env });
    expect(leftovers(settings)).toEqual([]);
    expect(await machineState(settings)).toEqual(before);
  });
});
