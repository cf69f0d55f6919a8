import { setTimeout as delay } from "node:timers/promises";
import { firstReactionS } from "./measure.ts";
import { BRIDGES, createMany, nameOf, readyUntil } from "./objects.ts";
import { percentile } from "./percentile.ts";
import type { Run } from "./run.ts";
import { memoryMiB } from "./usage.ts";

/** Edits are made in the storm from its start until all is ready, one at a time: what one sees depends on when it comes. */
const BETWEEN_EDITS_MS = 20_000;
const MINUTE_MS = 60_000;

/** What a storm is made of. Each act ends when the time is up, by a word or by an error. */
export interface StormActs {
  create(timeIsUp: AbortSignal): Promise<unknown>;
  /** Waits until all that was created is ready; how many are. */
  ready(timeIsUp: AbortSignal): Promise<number>;
  /** Edits something else; the seconds to the first reaction. */
  edit(timeIsUp: AbortSignal): Promise<number>;
}

export interface Stormed {
  /** How many were ready at the end. */
  readonly ready: number;
  readonly seconds: number;
  /** Seconds from each edit to its first reaction. */
  readonly reactionS: readonly number[];
  /** Whether the last edit had none when the time was up. */
  readonly isUnanswered: boolean;
}

/**
 * Lets a storm come and waits for its end, at most for so long: what was seen until then counts.
 * @throws what an act has thrown before the time was up
 */
export async function stormFor(
  limitMs: number,
  acts: StormActs,
  betweenEditsMs = BETWEEN_EDITS_MS,
): Promise<Stormed> {
  const startedMs = performance.now();
  const timeIsUp = AbortSignal.timeout(limitMs);
  const calm = new AbortController();
  const isOver = AbortSignal.any([timeIsUp, calm.signal]);
  const reactionS: number[] = [];
  let isUnanswered = false;
  const editThrough = async (): Promise<void> => {
    while (!isOver.aborted) {
      isUnanswered = true;
      reactionS.push(await acts.edit(timeIsUp));
      isUnanswered = false;
      await delay(betweenEditsMs, undefined, { signal: isOver }).catch(() => undefined);
    }
  };
  const inTime = (error: unknown): undefined => {
    if (!timeIsUp.aborted) throw error;
  };
  const created = acts.create(timeIsUp).catch(inTime);
  const ready = created.then(() => acts.ready(timeIsUp)).finally(() => calm.abort());
  const [count] = await Promise.all([ready, editThrough().catch(inTime)]);
  return { ready: count, seconds: (performance.now() - startedMs) / 1_000, reactionS, isUnanswered };
}

/** So many bridges at once, in addition, and a user who edits others meanwhile. */
export async function measureStorm(run: Run): Promise<void> {
  const { bed, ours, objects, storm, stormMinutes, table, say } = run;
  say(`${storm} more bridges at once`);
  const title = `${storm.toLocaleString("en")} more bridges at once:`;
  const startedMs = performance.now();
  let edits = 0;
  const stormed = await stormFor(stormMinutes * MINUTE_MS, {
    async create(signal) {
      await createMany(bed.client, BRIDGES, storm, 1, { stem: "storm", signal });
      say(`  created after ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
    },
    ready: (signal) => readyUntil(bed.client, BRIDGES, storm, signal, "storm"),
    edit(signal) {
      const name = nameOf(edits++ % objects);
      const how = { withinMs: stormMinutes * MINUTE_MS, signal };
      return firstReactionS(bed, BRIDGES, ours.contestant.user, name, ours.version++, how);
    },
  });
  const { ready, seconds, reactionS, isUnanswered } = stormed;
  say(`  ${reactionS.length} edits meanwhile: ${reactionS.map((one) => one.toFixed(1)).join(", ")} s`);
  if (isUnanswered) say("  one more edit had no reaction when the time was up");
  // What an earlier storm of this size came to is no longer true, whatever it was called.
  for (const former of ["an edit meanwhile to", "every one ready", "ready within"])
    table.drop(new RegExp(`^${title} ${former}`));
  if (ready === storm) table.own(`${title} every one ready after, s`, seconds);
  else table.own(`${title} ready within ${stormMinutes} min`, ready);
  if (reactionS.length > 0) {
    table.own(`${title} an edit meanwhile to its first child write, p50, s`, percentile(reactionS, 0.5), 1);
    table.own(`${title} an edit meanwhile to its first child write, longest, s`, Math.max(...reactionS), 1);
  }
  table.own(`${title} memory then, MiB`, memoryMiB(ours.process.pid).now);
  say(`  ${objects + storm} bridges in all`);
}
