/**
 * The operator against Argo Rollouts on one control plane in one run: real etcd, API server, controllers and scheduler, with nodes
 * played by kwok. `node bench/operator.ts [objects] [pods per bridge] [--storm=N] [--soak=MINUTES] [--write]`.
 *
 * Counts come from the API server's audit log and memory and CPU from /proc, never from the contestants themselves. Edits go to both in
 * turns, so that whatever else the machine does hits both alike. `--write` puts the table into docs/performance.md.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { resources } from "../operator/kube/resources.ts";
import { freePort } from "../test/servers/free-port.ts";
import type { ServerProcess } from "../test/servers/process.ts";
import { createProgress } from "../tools/setup/progress.ts";
import { type Bed, openBed } from "./operator/bed.ts";
import { argoRollouts, type Contestant, llmbridge } from "./operator/contestants.ts";
import { atRest, firstReactionS, lifeOf, reactionMs } from "./operator/measure.ts";
import {
  ARGO_ROLLOUTS,
  allReady,
  BRIDGES,
  createMany,
  type Kind,
  NAMESPACE,
  nameOf,
} from "./operator/objects.ts";
import { createTable } from "./operator/table.ts";
import { memoryMiB } from "./operator/usage.ts";
import { soak, syncCost } from "./operator/vitals.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    storm: { type: "string", default: "0" },
    soak: { type: "string", default: "0" },
    write: { type: "boolean", default: false },
  },
});
const OBJECTS = Number(positionals[0] ?? 1_000);
const PODS_PER_BRIDGE = Number(positionals[1] ?? 20);
const STORM = Number(values.storm);
const SOAK_MINUTES = Number(values.soak);
const EDITS = 60;
const REST_SECONDS = 60;
/** Argo's own rate limit is not what is measured. */
const BETWEEN_EDITS_MS = 700;
const SETTLE_MS = 20_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });

/** A contestant that runs, and what it rolls out. */
interface Side {
  readonly contestant: Contestant;
  readonly kind: Kind;
  process: ServerProcess;
  /** Of the next edit. */
  version: number;
}

async function main(): Promise<void> {
  const bed = await openBed(progress);
  const sides: Side[] = [];
  try {
    for (const name of [NAMESPACE, "bench-system", "argo-rollouts"]) await makeNamespace(bed, name);
    for (const [contestant, kind] of [
      [await llmbridge(bed), BRIDGES],
      [await argoRollouts(bed), ARGO_ROLLOUTS],
    ] as const) {
      sides.push({ contestant, kind, process: await startOne(contestant), version: 2 });
    }
    await measure(bed, sides as [Side, Side]);
  } finally {
    for (const side of sides) {
      await side.process.stop();
      side.contestant.remove();
    }
    await bed.down();
  }
}

async function startOne(contestant: Contestant): Promise<ServerProcess> {
  if (contestant.user === "llmbridge") return contestant.start();
  const [health, metrics] = [await freePort(), await freePort()];
  return contestant.start([`--healthzPort=${health}`, `--metricsPort=${metrics}`]);
}

async function makeNamespace(bed: Bed, name: string): Promise<void> {
  await bed.client.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

async function measure(bed: Bed, sides: [Side, Side]): Promise<void> {
  const [ours, peers] = sides;
  const table = createTable(ours.contestant.title, peers.contestant.title, say);

  say("one object of 5 replicas: from creation to ready, to the held step, to the end");
  const [life, peersLife] = await Promise.all(
    sides.map(({ kind, contestant }) => lifeOf(bed, kind, contestant.user)),
  );
  if (life === undefined || peersLife === undefined) throw new Error("a life is missing");
  for (const words of [...life.words, ...peersLife.words]) say(`  ${words}`);
  table.row("writes, create to ready (5 pods)", life.create.writes, peersLife.create.writes);
  table.row("writes, image change to held step", life.change.writes, peersLife.change.writes);
  table.row("writes, promote to done", life.promote.writes, peersLife.promote.writes);
  const conflicts = (one: typeof life) => one.create.conflicts + one.change.conflicts + one.promote.conflicts;
  table.row("conflicts (409) in that time", conflicts(life), conflicts(peersLife));

  say(`${OBJECTS} objects each: ${PODS_PER_BRIDGE} pods per bridge, 1 per rollout`);
  for (const { kind } of sides) {
    const startedMs = Date.now();
    await createMany(bed.client, kind, OBJECTS, kind === BRIDGES ? PODS_PER_BRIDGE : 1);
    await allReady(bed.client, kind, OBJECTS, 3_600_000);
    say(`  every ${kind.resource.kind} ready after ${((Date.now() - startedMs) / 1_000).toFixed(0)} s`);
  }
  await delay(SETTLE_MS);

  say(`at rest for ${REST_SECONDS} s`);
  const [rest, peersRest] = await atRest(bed.auditLogPath, running(sides), REST_SECONDS);
  if (rest === undefined || peersRest === undefined) throw new Error("a rest is missing");
  table.row("requests a minute at rest: lease", rest.perMinute.leases, peersRest.perMinute.leases);
  table.row("watch renewals", rest.perMinute.watches, peersRest.perMinute.watches);
  table.row(
    "anything else",
    rest.perMinute.reads + rest.perMinute.writes,
    peersRest.perMinute.reads + peersRest.perMinute.writes,
  );
  table.row("CPU seconds a minute at rest", rest.cpuPerMinute, peersRest.cpuPerMinute, 2);

  say(`${EDITS} edits each, in turns`);
  const reactions: [number[], number[]] = [[], []];
  for (let index = 0; index < EDITS; index++) {
    for (const [which, side] of sides.entries()) {
      const name = nameOf(index % OBJECTS);
      reactions[which]?.push(
        await reactionMs(
          bed,
          side.kind,
          side.contestant.user,
          name,
          side.version + Math.floor(index / OBJECTS),
        ),
      );
      await delay(BETWEEN_EDITS_MS);
    }
  }
  for (const side of sides) side.version += Math.ceil(EDITS / OBJECTS);
  for (const [title, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    table.row(
      `edit received to first child write received, ${title}, ms`,
      percentile(reactions[0], share),
      percentile(reactions[1], share),
    );
  }

  await measureRestarts(bed, sides, table);
  await delay(SETTLE_MS);
  const [memory, peersMemory] = [memoryMiB(ours.process.pid), memoryMiB(peers.process.pid)];
  table.row("memory (RSS), MiB", memory.now, peersMemory.now);
  table.row("memory, peak, MiB", memory.peak, peersMemory.peak);

  await measureSync(ours, table);
  if (SOAK_MINUTES > 0) await measureSoak(bed, ours, table);
  if (STORM > 0) await measureStorm(bed, ours, table);
  say("");
  say(table.text());
  if (values.write)
    table.writeTo("docs/performance.md", `${OBJECTS} objects, ${PODS_PER_BRIDGE} pods per bridge`);
}

/** A single replica that is ended in order, or killed, and two of which the leader ends; each time an edit waits for the reaction. */
async function measureRestarts(
  bed: Bed,
  sides: [Side, Side],
  table: ReturnType<typeof createTable>,
): Promise<void> {
  const measured: Record<string, number[]> = { SIGTERM: [], SIGKILL: [], standby: [] };
  for (const side of sides) {
    const { contestant, kind } = side;
    const react = () =>
      firstReactionS(bed, kind, contestant.user, nameOf(0), side.version++).finally(() => delay(3_000));
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      say(`${contestant.title}: ${signal} and start`);
      side.process.signal(signal);
      await side.process.exited;
      const [seconds, started] = await Promise.all([react(), startOne(contestant)]);
      side.process = started;
      measured[signal]?.push(seconds);
      await delay(SETTLE_MS);
    }
    say(`${contestant.title}: SIGTERM of the leader, with a standby`);
    const standby = await startOne(contestant);
    await delay(SETTLE_MS);
    side.process.signal("SIGTERM");
    measured.standby?.push(await react());
    await side.process.exited;
    side.process = standby;
    await delay(SETTLE_MS);
  }
  const row = (title: string, which: string) =>
    table.row(title, measured[which]?.[0] ?? Number.NaN, measured[which]?.[1] ?? Number.NaN, 1);
  row("restart after SIGTERM to first reaction, s", "SIGTERM");
  row("restart after SIGKILL to first reaction, s", "SIGKILL");
  row("SIGTERM of the leader to the standby's first reaction, s", "standby");
}

/** Its start with all that is there, with the event loop watched. */
async function measureSync(ours: Side, table: ReturnType<typeof createTable>): Promise<void> {
  await ours.process.stop();
  const { process: started, cost } = await syncCost(ours.contestant);
  ours.process = started;
  table.own("start to full caches, s", cost.seconds, 1);
  table.own("event loop delay until then, p99, ms", cost.p99Ms);
  table.own("event loop delay until then, longest, ms", cost.maxMs);
}

/** Edits and promotions for so long; what grows, leaks. */
async function measureSoak(bed: Bed, ours: Side, table: ReturnType<typeof createTable>): Promise<void> {
  say(`${SOAK_MINUTES} min of edits and promotions`);
  const { kind } = ours;
  let turn = 0;
  const work = async (): Promise<void> => {
    const name = nameOf(Math.floor(turn / 2) % OBJECTS);
    if (turn % 2 === 0) await kind.edit(bed.client, name, ours.version);
    else await kind.promote(bed, name);
    turn++;
  };
  const { mibPerHour, before, after } = await soak(ours.process, SOAK_MINUTES, work);
  ours.version++;
  table.own(`memory over ${SOAK_MINUTES} min of work, MiB/h`, mibPerHour, 1);
  table.own("sockets, timers and listeners that were added", held(after) - held(before));
}

const held = ({ sockets, timers, listeners }: { sockets: number; timers: number; listeners: number }) =>
  sockets + timers + listeners;

/** So many bridges at once, in addition; an edit in the middle of it. */
async function measureStorm(bed: Bed, ours: Side, table: ReturnType<typeof createTable>): Promise<void> {
  say(`${STORM} more bridges at once`);
  const startedMs = Date.now();
  const creating = createMany(bed.client, BRIDGES, STORM, 1, "storm");
  await delay(10_000);
  const reaction = await firstReactionS(bed, BRIDGES, ours.contestant.user, nameOf(1), ours.version++);
  await creating;
  say(`  created after ${((Date.now() - startedMs) / 1_000).toFixed(0)} s`);
  await allReady(bed.client, BRIDGES, OBJECTS + STORM, 3_600_000);
  const seconds = (Date.now() - startedMs) / 1_000;
  table.own(`${STORM} bridges at once: all ready, s`, seconds);
  table.own("an edit meanwhile to its first child write, s", reaction, 1);
  table.own("memory with them, MiB", memoryMiB(ours.process.pid).now);
}

const running = (sides: readonly Side[]) =>
  sides.map(({ contestant, process }) => ({ user: contestant.user, process }));

function percentile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

await main();
