import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import type { Component } from "./component.ts";
import type { ClusterSettings } from "./settings.ts";

/** How often every pod is scraped. */
const SCRAPE_INTERVAL = "1s";

const ANNOTATION = "__meta_kubernetes_pod_annotation_prometheus_io";

/**
 * Prometheus on the machine itself. It scrapes every pod annotated `prometheus.io/scrape: "true"` at
 * `prometheus.io/port` and `prometheus.io/path` (`/metrics` when absent) over the route to the pods. Targets get the
 * labels `namespace`, `pod` and `node`; a label that a pod exports by itself wins.
 */
export function prometheus(settings: ClusterSettings, tools: ToolPaths, kubeconfig: string): Component {
  const folder = join(settings.workFolder, "prometheus");
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "prometheus.json");
  writeFileSync(config, JSON.stringify(scrapeConfig(kubeconfig), null, 1));
  return {
    name: "prometheus",
    place: "Host",
    argv: [
      tools.prometheus,
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "series")}`,
      "--storage.tsdb.retention.time=1d",
      "--log.level=warn",
      `--web.listen-address=${settings.hostAddress}:${settings.ports.prometheus}`,
    ],
  };
}

function scrapeConfig(kubeconfig: string): object {
  const source = (...labels: string[]): { source_labels: string[] } => ({ source_labels: labels });
  const pods = {
    job_name: "pods",
    honor_labels: true,
    kubernetes_sd_configs: [{ role: "pod", kubeconfig_file: kubeconfig }],
    relabel_configs: [
      { ...source(`${ANNOTATION}_scrape`), regex: "true", action: "keep" },
      { ...source("__meta_kubernetes_pod_phase"), regex: "Succeeded|Failed", action: "drop" },
      {
        ...source("__meta_kubernetes_pod_ip", `${ANNOTATION}_port`),
        regex: "(.+);([0-9]+)",
        target_label: "__address__",
        replacement: "$1:$2",
      },
      { ...source(`${ANNOTATION}_path`), regex: "(.+)", target_label: "__metrics_path__" },
      { ...source("__meta_kubernetes_namespace"), target_label: "namespace" },
      { ...source("__meta_kubernetes_pod_name"), target_label: "pod" },
      { ...source("__meta_kubernetes_pod_node_name"), target_label: "node" },
    ],
  };
  return {
    global: { scrape_interval: SCRAPE_INTERVAL, scrape_timeout: SCRAPE_INTERVAL },
    scrape_configs: [pods],
  };
}
