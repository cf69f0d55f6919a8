import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { toolPaths } from "../../tools/setup/tools.ts";
import { freePort } from "./free-port.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** A page of metrics that is scraped. */
export interface ScrapeTarget {
  readonly port: number;
  /** Labels that service discovery would add. */
  readonly labels: Readonly<Record<string, string>>;
  /** Default "pods". */
  readonly job?: string;
}

export interface PrometheusServer {
  readonly url: string;
  /** Replaces the targets; resolves when Prometheus has taken them over. */
  setTargets(targets: readonly ScrapeTarget[]): Promise<void>;
  /** Stops answering without closing connections; resolves when its last thread stands still. */
  pause(): Promise<void>;
  /** Goes on. */
  resume(): void;
  /** Ends it without a word; what it stored stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface PrometheusServerOptions {
  readonly scrapeIntervalMs: number;
  /** Scraped from the start. Default none. */
  readonly targets?: readonly ScrapeTarget[];
  /** Prometheus' web configuration: TLS and users. Its targets cannot be set later. */
  readonly web?: object;
}

/** Starts the Prometheus that the cluster's tests use. Throws where it was not built yet. */
export async function startPrometheus(options: PrometheusServerOptions): Promise<PrometheusServer> {
  const command = toolPaths(cacheRoot(process.env)).prometheus;
  if (!existsSync(command)) throw new Error(`${command} is missing; run "make setup" first.`);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "llmbridge-prometheus-"));
  const config = join(folder, "prometheus.json");
  const url = `${options.web === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const web = join(folder, "web.json");
  let server: ServerProcess | undefined;

  const write = (targets: readonly ScrapeTarget[]) => {
    const jobs = Map.groupBy(targets, ({ job = "pods" }) => job);
    const interval = `${options.scrapeIntervalMs}ms`;
    return writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: interval, scrape_timeout: interval },
        scrape_configs: [...jobs].map(([job_name, own]) => ({
          job_name,
          static_configs: own.map((target) => ({
            targets: [`127.0.0.1:${target.port}`],
            labels: target.labels,
          })),
        })),
      }),
    );
  };
  const start = async () => {
    server = await startProcess({
      command,
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "series")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--web.enable-lifecycle",
        ...(options.web === undefined ? [] : [`--web.config.file=${web}`]),
      ],
      readyWithinMs: 60_000,
      ready: /Server is ready to receive web requests/,
    });
  };
  await write(options.targets ?? []);
  if (options.web !== undefined) await writeFile(web, JSON.stringify(options.web));
  await start();
  return {
    url,
    async setTargets(targets) {
      await write(targets);
      const response = await fetch(`${url}/-/reload`, { method: "POST" });
      if (!response.ok) throw new Error(`Prometheus refused its configuration: ${await response.text()}`);
    },
    pause: async () => server?.pause(),
    resume: () => server?.resume(),
    kill: async () => {
      server?.signal("SIGKILL");
      await server?.exited;
    },
    start,
    async stop() {
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
