/**
 * The bridge against a bare node:http + undici proxy, in one run: requests per second, CPU per request, added latency at 50
 * concurrent requests, and idle memory. `node bench/bridge.ts [rounds] [seconds per round]`.
 *
 * Both proxies see the same upstream and the same load, in turns, so that whatever else the machine does hits both alike.
 * CPU time per request depends least on neighbours; its inverse is what one core serves.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { writeFiles } from "../bridge/testing/bridge.ts";
import { type LoadResult, median, percentile, runLoad } from "./bridge/load.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 3);
const CONNECTIONS = 50;
const DELAY_MS = 50;
/** Clock ticks per second in /proc (sysconf(_SC_CLK_TCK), 100 on every Linux we support). */
const TICKS = 100;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function startScript(path: string, ...args: string[]): Promise<Started> {
  const child = fork(here(path), args);
  const [message] = (await once(child, "message")) as [{ port: number }];
  return { child, port: message.port };
}

/** The bundle of the image where it was built, else the sources. */
function bridgeMain(): string {
  const bundle = here("../dist/bridge/main.js");
  return existsSync(bundle) ? bundle : here("../bridge/main.ts");
}

async function startBridge(upstreamPort: number): Promise<Started & { remove(): void }> {
  const url = `http://127.0.0.1:${upstreamPort}/v1`;
  const files = writeFiles({
    upstreams: [{ name: "model", url, maxConcurrency: CONNECTIONS }],
    cacheTtlMs: 60_000,
  });
  const child = spawn(process.execPath, [bridgeMain()], {
    env: { ...files.env, LOG_LEVEL: "info", NODE_OPTIONS: process.env.BRIDGE_NODE_OPTIONS ?? "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string; trafficPort: number };
      if (entry.msg === "ready") resolve(entry.trafficPort);
    });
  });
  return { child, port, remove: () => rmSync(files.root, { recursive: true }) };
}

/** CPU seconds that a process has used (proc(5), /proc/pid/stat fields 14 and 15). */
function cpuSeconds(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function rssMiB(child: ChildProcess): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"));
  return Number(line?.[1]) / 1024;
}

interface Measured {
  readonly rps: number[];
  readonly cpuMicroseconds: number[];
}

async function measure(target: Started, into: Measured): Promise<void> {
  const before = cpuSeconds(target.child);
  const result: LoadResult = await runLoad(target.port, CONNECTIONS, SECONDS);
  into.rps.push(result.requests / result.seconds);
  into.cpuMicroseconds.push(((cpuSeconds(target.child) - before) / result.requests) * 1e6);
}

function line(name: string, measured: Measured): string {
  const rps = median(measured.rps).toFixed(0).padStart(7);
  const cpu = median(measured.cpuMicroseconds).toFixed(1).padStart(7);
  return `${name.padEnd(8)} ${rps} requests/s  ${cpu} us CPU per request  (rounds: ${measured.rps.map((value) => value.toFixed(0)).join(", ")})`;
}

const fast = await startScript("./bridge/model.ts", "0");
const slow = await startScript("./bridge/model.ts", String(DELAY_MS));
const bare = await startScript("./bridge/bare.ts", `http://127.0.0.1:${fast.port}`);
const bridge = await startBridge(fast.port);

await new Promise((resolve) => setTimeout(resolve, 5_000));
const idleMiB = rssMiB(bridge.child);

const measured = {
  bare: { rps: [], cpuMicroseconds: [] },
  bridge: { rps: [], cpuMicroseconds: [] },
} satisfies Record<string, Measured>;
for (const warm of [bare, bridge]) await runLoad(warm.port, CONNECTIONS, SECONDS);
for (let round = 0; round < ROUNDS; round++) {
  // The order turns, so that neither always runs in the other's wake.
  const order = round % 2 === 0 ? (["bare", "bridge"] as const) : (["bridge", "bare"] as const);
  for (const name of order) await measure(name === "bare" ? bare : bridge, measured[name]);
}
const loadedMiB = rssMiB(bridge.child);

const slowBridge = await startBridge(slow.port);
await runLoad(slowBridge.port, CONNECTIONS, SECONDS);
const added: number[] = [];
const addedMedian: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const direct = await runLoad(slow.port, CONNECTIONS, SECONDS);
  const through = await runLoad(slowBridge.port, CONNECTIONS, SECONDS);
  added.push(percentile(through.latencies, 0.99) - percentile(direct.latencies, 0.99));
  addedMedian.push(percentile(through.latencies, 0.5) - percentile(direct.latencies, 0.5));
}

const rpsShare = median(measured.bridge.rps) / median(measured.bare.rps);
const cpuShare = median(measured.bare.cpuMicroseconds) / median(measured.bridge.cpuMicroseconds);
console.log(
  `${bridgeMain().endsWith(".js") ? "bundle" : "sources"}, Node ${process.versions.node}, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s`,
);
console.log(line("bare", measured.bare));
console.log(line("bridge", measured.bridge));
console.log(
  `bridge / bare: ${(rpsShare * 100).toFixed(0)} % of the requests per second, ${(cpuShare * 100).toFixed(0)} % by CPU time`,
);
console.log(
  `added at ${CONNECTIONS} concurrent, upstream of ${DELAY_MS / 2} to ${DELAY_MS * 1.5} ms: p99 ${median(added).toFixed(2)} ms, median ${median(addedMedian).toFixed(2)} ms`,
);
console.log(
  `memory of the bridge: ${idleMiB.toFixed(0)} MiB idle, ${loadedMiB.toFixed(0)} MiB after the load`,
);

for (const started of [fast, slow, bare]) started.child.disconnect();
for (const started of [bridge, slowBridge]) {
  started.child.kill("SIGKILL");
  await once(started.child, "exit");
  started.remove();
}
