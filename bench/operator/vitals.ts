import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../test/kube/until.ts";
import { startAudit } from "../../test/scene/audit.ts";
import type { ServerProcess } from "../../test/servers/process.ts";
import type { Contestant } from "./contestants.ts";
import { countsOf } from "./measure.ts";
import type { Side } from "./run.ts";
import { memoryMiB } from "./usage.ts";

/** What an operator says of itself where bench/operator/vitals.mjs is loaded into it. */
export interface Vitals {
  /** Delays of the event loop since the start. */
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly timers: number;
  readonly sockets: number;
  readonly listeners: number;
}

const VITALS = "--import=./bench/operator/vitals.mjs";
const SYNCED = /caches are full/;
const SAMPLE_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const startWithVitals = (contestant: Contestant): Promise<ServerProcess> =>
  contestant.start([], { nodeOptions: VITALS });

export interface SyncCost {
  readonly seconds: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Memory once every bridge was looked at. */
  readonly mib: number;
  /** What these looks wrote. */
  readonly writes: number;
}

/** Long enough for the first look at each of a thousand bridges. */
const LOOKED_MS = 30_000;

/** From the start of the process to full caches, as a replica without a predecessor does it, and how its event loop fared meanwhile. */
export async function syncCost(
  contestant: Contestant,
  auditLogPath: string,
): Promise<{ process: ServerProcess; cost: SyncCost }> {
  const audit = startAudit(auditLogPath);
  const startedMs = Date.now();
  const process = await startWithVitals(contestant);
  const line = await until("full caches", () => process.lastLines.find((one) => SYNCED.test(one)), MINUTE_MS);
  const { time } = JSON.parse(line) as { time: number };
  const { p99Ms, maxMs } = await nextVitals(process);
  await delay(LOOKED_MS);
  const { writes } = countsOf(await audit.requests(), contestant.user);
  const mib = memoryMiB(process.pid).now;
  return { process, cost: { seconds: (time - startedMs) / 1_000, p99Ms, maxMs, mib, writes } };
}

export interface Soak {
  /** Slope of a line through the memory of the second half. */
  readonly mibPerHour: number;
  /** What is alive after a whole collection, from the end of the first third to the end. */
  readonly liveMibPerHour: number;
  readonly before: Vitals;
  readonly after: Vitals;
}

/** Anew, so that what has to be held is held by then and not counted as growth. */
const WARM_MS = 60_000;

/** An operator at work for so long: memory, and whatever else could grow. */
export async function soak(side: Side, minutes: number, work: () => Promise<unknown>): Promise<Soak> {
  await side.process.stop();
  const process = await startWithVitals(side.contestant);
  side.process = process;
  await delay(WARM_MS);
  const samples: [hours: number, mib: number][] = [];
  const startedMs = performance.now();
  const hours = () => (performance.now() - startedMs) / HOUR_MS;
  const workUntil = async (minute: number): Promise<void> => {
    while (performance.now() - startedMs < minute * MINUTE_MS) {
      await work();
      await delay(SAMPLE_MS);
      samples.push([hours(), memoryMiB(process.pid).now]);
    }
  };
  await work();
  const before = await nextVitals(process);
  await workUntil(minutes / 3);
  const [liveThen, then] = [await liveMiB(process), hours()];
  await workUntil(minutes / 2);
  samples.length = 0;
  await workUntil(minutes);
  const after = await nextVitals(process);
  const liveMibPerHour = ((await liveMiB(process)) - liveThen) / (hours() - then);
  return { mibPerHour: slopeOf(samples), liveMibPerHour, before, after };
}

const HELD = ["sockets", "timers", "listeners"] as const;

/** What is held more at the end than at the beginning, each by itself: what leaks is not to hide behind what was let go. */
export function growth(
  before: Vitals,
  after: Vitals,
): readonly (readonly [what: (typeof HELD)[number], added: number])[] {
  return HELD.map((what) => [what, after[what] - before[what]]);
}

const nextVitals = async (process: ServerProcess): Promise<Vitals> =>
  (await nextSaid<{ vitals: Vitals }>(process, "vitals")).vitals;

async function liveMiB(process: ServerProcess): Promise<number> {
  const said = nextSaid<{ liveMiB: number }>(process, "liveMiB");
  process.signal("SIGUSR2");
  return (await said).liveMiB;
}

/** What bench/operator/vitals.mjs says of this next. */
async function nextSaid<Said>(process: ServerProcess, of: string): Promise<Said> {
  const last = () => process.lastLines.findLast((line) => line.startsWith(`{"${of}"`));
  const seen = last();
  const line = await until(of, () => (last() === seen ? undefined : last()), MINUTE_MS);
  return JSON.parse(line) as Said;
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  const covariance = mean(([at, value]) => (at - x) * (value - y));
  return covariance / mean(([at]) => (at - x) ** 2);
}
