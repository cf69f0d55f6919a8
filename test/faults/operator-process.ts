import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "../../tools/build.ts";
import { type ServerProcess, startProcess } from "../servers/process.ts";
import { lentFolder } from "./lent.ts";

/** The operator as its image runs it, as a process of this machine. */
export interface OperatorProgram {
  /** Starts a process that watches these namespaces and talks to the API server by this kubeconfig. */
  start(options: OperatorOptions): Promise<ServerProcess>;
  /** Removes the program; its processes must have ended. */
  remove(): void;
}

export interface OperatorOptions {
  readonly kubeconfigPath: string;
  /** Empty: all. The first is also where its Lease is, unless `lease` says otherwise. */
  readonly namespaces: readonly string[];
  /** Take a Lease before acting. Default: no, so that a process that was killed is followed at once. */
  readonly leaderElection?: boolean;
  readonly lease?: { readonly namespace: string; readonly name: string };
  readonly instance?: string;
  readonly bridgeSelector?: string;
  /** Where its metric source is. Default: where nobody answers, so that rollouts move by what a person commands. */
  readonly metricsUrl?: string;
  /** Its settings file. Default: one of which the only source is at `metricsUrl`. */
  readonly settingsPath?: string;
  /** How far its wall clock is ahead of this machine's, in milliseconds; its monotonic clock is right. */
  readonly clockAheadMs?: number;
  /** `Next`: the operator as a next version might be, which calls itself so and renders another pod template. Default: this one. */
  readonly version?: "This" | "Next";
  /** Told of each line that it logs. */
  readonly onLine?: (line: string) => void;
}

const REWRITE = resolve(import.meta.dirname, "../images/next-operator/rewrite.ts");

/** Shows a process another time of day, as a machine whose clock was set wrong does. */
const skewed = (aheadMs: number): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    `const { now } = Date;
     Date.now = () => now() + ${aheadMs};
     globalThis.Date = new Proxy(Date, { construct: (Of, args) => new Of(...(args.length > 0 ? args : [Date.now()])) });`,
  )}`;

const NOBODY = "http://127.0.0.1:9";

/** Bundles the operator, so that it starts as quickly as in its image; once for all suites of a run that lends. */
export async function operatorProgram(): Promise<OperatorProgram> {
  const lent = lentFolder("program");
  const folder = lent ?? mkdtempSync(join(tmpdir(), "llmbridge-operator-"));
  if (!existsSync(join(folder, "operator"))) await bundle(["operator"], folder);
  const mainOf = (version: "This" | "Next"): string => {
    const next = join(folder, "next-operator");
    if (version === "This") return join(folder, "operator", "main.js");
    if (!existsSync(next)) {
      cpSync(join(folder, "operator"), next, { recursive: true });
      execFileSync(process.execPath, [REWRITE, join(next, "main.js")]);
    }
    return join(next, "main.js");
  };
  const settingsFor = (url: string): string => {
    const file = join(folder, `settings-${encodeURIComponent(url)}.yaml`);
    if (existsSync(file)) return file;
    // Whole at once: operators that are started with it already follow it, and a file that is still empty names no source.
    const next = `${file}.${process.pid}`;
    writeFileSync(next, JSON.stringify({ sources: [{ name: "default", url }] }));
    renameSync(next, file);
    return file;
  };
  return {
    start: ({
      kubeconfigPath,
      namespaces,
      leaderElection = false,
      lease,
      instance = "explored",
      bridgeSelector = "",
      metricsUrl = NOBODY,
      settingsPath,
      clockAheadMs = 0,
      version = "This",
      onLine,
    }) =>
      startProcess({
        command: process.execPath,
        args: [
          ...(clockAheadMs === 0 ? [] : [skewed(clockAheadMs)]),
          mainOf(version),
          `--settings=${settingsPath ?? settingsFor(metricsUrl)}`,
          `--kubeconfig=${kubeconfigPath}`,
          `--watch-namespaces=${namespaces.join(",")}`,
          `--bridge-selector=${bridgeSelector}`,
          `--leader-election=${leaderElection}`,
          `--lease-namespace=${lease?.namespace ?? namespaces[0] ?? "default"}`,
          ...(lease === undefined ? [] : [`--lease-name=${lease.name}`]),
          `--instance=${instance}`,
          "--metrics-port=0",
          "--health-port=0",
        ],
        env: { PATH: process.env.PATH },
        ready: /"msg":"the operator has started"/,
        onLine,
      }),
    remove() {
      if (lent === undefined) rmSync(folder, { recursive: true });
    },
  };
}

/** How often the operator has looked at a bridge so far, and how many looks are under way or due. */
export async function looks({ readyLine }: ServerProcess): Promise<{ ended: number; underWay: number }> {
  const { metricsPort } = JSON.parse(readyLine) as { metricsPort: number };
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^llmbridge_operator_${name}\\{.*\\} (\\d+)$`, "gm"))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return { ended: sum("reconciles_total"), underWay: sum("reconciles_active") + sum("queue_depth") };
}
