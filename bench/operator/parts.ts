import { setTimeout as delay } from "node:timers/promises";
import { type AtRest, atRest, lifeOf, type Reaction, reactionTo } from "./measure.ts";
import { nameOf } from "./objects.ts";
import { percentile } from "./percentile.ts";
import { measureRestarts, SETTLE_MS } from "./restarts.ts";
import { bothOf, type Run } from "./run.ts";
import { measureStorm } from "./storm.ts";
import { memoryMiB } from "./usage.ts";
import { growth, soak, syncCost } from "./vitals.ts";

/** What can be measured alone, in the order in which all of it is. */
const NAMES = ["life", "rest", "edits", "memory", "sync", "restarts", "soak", "storm"] as const;
export type Part = (typeof NAMES)[number];

/** Parts that run both side by side. */
export const OF_BOTH: ReadonlySet<Part> = new Set(["life", "rest", "edits", "restarts", "memory"]);

const EDITS = 120;

/**
 * How many edits each side is measured with.
 * @param asked default: 120, and never more than four of each object
 * @throws RangeError where it is no number of edits
 */
export function editsOf(asked: string | undefined, objects: number): number {
  if (asked === undefined) return Math.min(EDITS, 4 * objects);
  const edits = Number(asked);
  if (!Number.isInteger(edits) || edits < 1)
    throw new RangeError(`--edits=${asked} is no number of edits; write one such as ${EDITS}.`);
  return edits;
}

/** The parts that were asked for; without a word all of them, those that need a number only with one. */
export function partsOf(
  only: string | undefined,
  { storm, soakMinutes }: { readonly storm: number; readonly soakMinutes: number },
): readonly Part[] {
  const asked = only?.split(",");
  const unknown = asked?.find((one) => !(NAMES as readonly string[]).includes(one));
  if (unknown !== undefined)
    throw new RangeError(`--only=${unknown} is no part; write some of ${NAMES.join(", ")}.`);
  const isGiven = (part: Part) => (part === "storm" ? storm > 0 : part === "soak" ? soakMinutes > 0 : true);
  return NAMES.filter((part) => (asked === undefined || asked.includes(part)) && isGiven(part));
}

const REST_SECONDS = 60;
/** Argo's own rate limit is not what is measured. */
const BETWEEN_EDITS_MS = 700;

/** One of each alone, so that what it takes is not what others take. */
async function measureLife(run: Run): Promise<void> {
  const { bed, table, say } = run;
  say("one object of 5 replicas: from creation to ready, to the held step, to the end");
  const [life, peersLife] = await Promise.all(
    bothOf(run).map(({ kind, contestant }) => lifeOf(bed, kind, contestant.user)),
  );
  if (life === undefined || peersLife === undefined) throw new Error("a life is missing");
  for (const words of [...life.words, ...peersLife.words]) say(`  ${words}`);
  table.row("writes, create to ready (5 pods)", life.create.writes, peersLife.create.writes);
  table.row("writes, image change to held step", life.change.writes, peersLife.change.writes);
  table.row("writes, promote to done", life.promote.writes, peersLife.promote.writes);
  const conflicts = (one: typeof life) => one.create.conflicts + one.change.conflicts + one.promote.conflicts;
  table.row("conflicts (409) in that time", conflicts(life), conflicts(peersLife));
}

async function restOf(run: Run): Promise<readonly [own: AtRest, others: AtRest]> {
  const running = bothOf(run).map(({ contestant, process }) => ({ user: contestant.user, process }));
  const [own, others] = await atRest(run.bed.auditLogPath, running, REST_SECONDS);
  if (own === undefined || others === undefined) throw new Error("a rest is missing");
  return [own, others];
}

async function measureRest(run: Run): Promise<void> {
  const { table, say } = run;
  say(`at rest for ${REST_SECONDS} s`);
  const [rest, peersRest] = await restOf(run);
  table.row("requests a minute at rest: lease", rest.perMinute.leases, peersRest.perMinute.leases);
  table.row("watch renewals", rest.perMinute.watches, peersRest.perMinute.watches);
  const others = ({ perMinute }: typeof rest) => perMinute.reads + perMinute.writes;
  table.row("anything else", others(rest), others(peersRest));
  table.row("CPU seconds a minute at rest", rest.cpuPerMinute, peersRest.cpuPerMinute, 2);
}

async function measureEdits(run: Run): Promise<void> {
  const { bed, objects, edits, table, say } = run;
  say(`${edits} edits each, in turns`);
  const sides = bothOf(run);
  const reactions: [Reaction[], Reaction[]] = [[], []];
  for (let index = 0; index < edits; index++) {
    for (const [which, { kind, contestant, version }] of sides.entries()) {
      const name = nameOf(index % objects);
      const edition = version + Math.floor(index / objects);
      reactions[which]?.push(await reactionTo(bed, kind, contestant.user, name, edition));
      await delay(BETWEEN_EDITS_MS);
    }
  }
  for (const side of sides) side.version += Math.ceil(edits / objects);
  for (const [title, share] of [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p99", 0.99],
  ] as const) {
    const row = (what: string, msOf: (reaction: Reaction) => number) => {
      const [own, others] = reactions.map((sample) => percentile(sample.map(msOf), share));
      table.row(`${what}, ${title}, ms`, own ?? Number.NaN, others ?? Number.NaN, 1);
    };
    row("edit received to first child write received", ({ allMs }) => allMs);
    row("of which the API server needs for the edit", ({ serverMs }) => serverMs);
    row("and the controller from then on", ({ allMs, serverMs }) => allMs - serverMs);
  }
  await measureHeld(run);
}

/** What was edited stands at its first step, with a metric source that answers nobody. */
async function measureHeld(run: Run): Promise<void> {
  const held = Math.min(run.edits, run.objects);
  run.say(`${held} held canaries for ${REST_SECONDS} s`);
  await delay(SETTLE_MS);
  const [own, others] = await restOf(run);
  run.table.drop(/^CPU seconds a minute, \d+ held canaries$/);
  run.table.row(`CPU seconds a minute, ${held} held canaries`, own.cpuPerMinute, others.cpuPerMinute, 2);
}

async function measureMemory(run: Run): Promise<void> {
  await delay(SETTLE_MS);
  const [own, others] = bothOf(run).map(({ process }) => memoryMiB(process.pid));
  if (own === undefined || others === undefined) throw new Error("a memory is missing");
  run.table.row("memory (RSS), MiB", own.now, others.now);
  run.table.row("memory, peak, MiB", own.peak, others.peak);
}

/** Its start with all that is there, with the event loop watched, and what it then writes: nothing, for all is as it should be. */
async function measureSync({ bed, ours, table, say }: Run): Promise<void> {
  say("start with all that is there");
  await ours.process.stop();
  const { process: started, cost } = await syncCost(ours.contestant, bed.auditLogPath);
  ours.process = started;
  table.own("start to full caches, s", cost.seconds, 1);
  table.own("event loop delay until then, p99, ms", cost.p99Ms);
  table.own("event loop delay until then, longest, ms", cost.maxMs);
  table.own("memory after a start, MiB", cost.mib);
  table.own("writes of a start that finds all as it should be", cost.writes);
}

/** So few that each has all the history that it keeps before a third of the time is over: what is cached of it is no leak. */
const SOAKED = 4;

/** Edits and promotions for so long; what grows, leaks. */
async function measureSoak({ bed, ours, objects, soakMinutes, table, say }: Run): Promise<void> {
  say(`${soakMinutes} min of edits and promotions`);
  const { kind } = ours;
  const several = Math.min(SOAKED, objects);
  let turn = 0;
  const work = async (): Promise<void> => {
    const name = nameOf(Math.floor(turn / 2) % several);
    if (turn % 2 === 0) await kind.edit(bed.client, name, ours.version + Math.floor(turn / 2 / several));
    else await kind.promote(bed, name);
    turn++;
  };
  const { mibPerHour, liveMibPerHour, before, after } = await soak(ours, soakMinutes, work);
  ours.version += Math.ceil(turn / 2 / several);
  // Of other lengths too, and what they were called before: a soak says of itself how long it was.
  table.drop(/^memory over .*\d+ min of work, MiB\/h$/);
  table.drop(/^sockets, timers and listeners that were added$/);
  table.own(`memory over the second half of ${soakMinutes} min of work, MiB/h`, mibPerHour, 1);
  table.own(`of which alive after a collection, MiB/h`, liveMibPerHour, 1);
  for (const [what, added] of growth(before, after)) table.own(`${what} that were added`, added);
}

export const PARTS: Readonly<
  Record<Part, { readonly measure: (run: Run) => Promise<void>; readonly needsObjects: boolean }>
> = {
  life: { measure: measureLife, needsObjects: false },
  rest: { measure: measureRest, needsObjects: true },
  edits: { measure: measureEdits, needsObjects: true },
  restarts: { measure: measureRestarts, needsObjects: true },
  memory: { measure: measureMemory, needsObjects: true },
  sync: { measure: measureSync, needsObjects: true },
  soak: { measure: measureSoak, needsObjects: true },
  storm: { measure: measureStorm, needsObjects: true },
};
