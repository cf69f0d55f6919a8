import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { until } from "../../test/kube/until.ts";
import { type ServerProcess, startProcess } from "../../test/servers/process.ts";
import { bundle } from "../../tools/build.ts";
import type { Bed } from "./bed.ts";

/** A controller that is measured, as a process of this machine. */
export interface Contestant {
  readonly title: string;
  /** Its user in the audit log. */
  readonly user: string;
  /** Resolves as soon as the process runs. */
  start(flags?: readonly string[], options?: StartOptions): Promise<ServerProcess>;
  remove(): void;
}

interface StartOptions {
  /** Of a contestant that runs on Node. */
  readonly nodeOptions?: string;
}

/** What the image's start does for its memory (images/Dockerfile). */
const NODE_FLAGS = ["--optimize-for-size", "--max-semi-space-size=1", "--heap-growing-percent=25"];
const MALLOC = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_MMAP_THRESHOLD_: "4096",
};
const NAMESPACE = "bench-system";

/** The operator as its image runs it, with a Lease; its metric source answers nobody, so that it moves by commands. */
export async function llmbridge(bed: Bed): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-bench-operator-"));
  await bundle(["operator"], folder);
  const settings = join(folder, "settings.yaml");
  writeFileSync(settings, JSON.stringify({ sources: [{ name: "default", url: "http://127.0.0.1:9" }] }));
  const kubeconfig = await bed.userConfig("llmbridge");
  return {
    title: "LLMBridge",
    user: "llmbridge",
    start: (flags = [], { nodeOptions = "" } = {}) =>
      startProcess({
        command: process.execPath,
        args: [
          ...NODE_FLAGS,
          join(folder, "operator", "main.js"),
          `--settings=${settings}`,
          `--kubeconfig=${kubeconfig}`,
          `--lease-namespace=${NAMESPACE}`,
          "--metrics-port=0",
          "--health-port=0",
          ...flags,
        ],
        env: { PATH: process.env.PATH, NODE_OPTIONS: nodeOptions, ...MALLOC },
        ready: /"msg":"the operator has started"/,
        readyWithinMs: 60_000,
      }),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Argo Rollouts with its defaults, and its CRDs. */
export async function argoRollouts(bed: Bed): Promise<Contestant> {
  const binary = bed.tools["argo-rollouts"];
  await installCrds(bed, join(dirname(binary), "files"));
  const kubeconfig = await bed.userConfig("argo");
  return {
    title: "Argo Rollouts 1.10.2",
    user: "argo",
    start: (flags = []) =>
      startProcess({
        command: binary,
        args: [`--kubeconfig=${kubeconfig}`, "--healthzPort=0", "--metricsPort=0", ...flags],
        env: { PATH: process.env.PATH, HOME: process.env.HOME },
        ready: /Argo Rollouts controller starting/,
        readyWithinMs: 60_000,
      }),
    remove: () => undefined,
  };
}

async function installCrds(bed: Bed, folder: string): Promise<void> {
  const served: string[] = [];
  for (const file of readdirSync(folder).filter((one) => one.endsWith("-crd.yaml"))) {
    for (const document of parseAllDocuments(readFileSync(join(folder, file), "utf8"))) {
      const crd = document.toJS() as { metadata: { name: string }; spec: { names: { plural: string } } };
      served.push(`/apis/argoproj.io/v1alpha1/${crd.spec.names.plural}?limit=1`);
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
      await bed.api.request(
        "PATCH",
        `${path}?fieldManager=bench&force=true`,
        crd,
        "application/apply-patch+yaml",
      );
    }
  }
  // A CRD is served a moment after it is stored.
  for (const path of served)
    await until(`${path} served`, () => bed.api.request("GET", path).catch(() => undefined));
}
