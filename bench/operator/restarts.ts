import { setTimeout as delay } from "node:timers/promises";
import { firstReactionS } from "./measure.ts";
import { nameOf } from "./objects.ts";
import { bothOf, type Run, type Side, startOne } from "./run.ts";

export const SETTLE_MS = 20_000;
/** An edit is let out of the way before the next step. */
const AFTER_REACTION_MS = 3_000;
const SIGNALS = ["SIGTERM", "SIGKILL"] as const;

/** A single replica that is ended in order, or killed, and two of which the leader is; each time an edit waits for the reaction. */
export async function measureRestarts(run: Run): Promise<void> {
  const { table } = run;
  const sides = bothOf(run);
  const alone = { SIGTERM: [] as number[], SIGKILL: [] as number[] };
  const led = { SIGTERM: [] as number[], SIGKILL: [] as number[] };
  for (const side of sides) {
    for (const signal of SIGNALS) alone[signal].push(await restarted(run, side, signal));
    for (const signal of SIGNALS) led[signal].push(await takenOver(run, side, signal));
  }
  const row = (title: string, [own = Number.NaN, other = Number.NaN]: readonly number[]) =>
    table.row(title, own, other, 1);
  for (const signal of SIGNALS) row(`restart after ${signal} to first reaction, s`, alone[signal]);
  for (const signal of SIGNALS)
    row(`${signal} of the leader to the standby's first reaction, s`, led[signal]);
}

const react = ({ bed }: Run, { contestant, kind, version }: Side): Promise<number> =>
  firstReactionS(bed, kind, contestant.user, nameOf(0), version).finally(() => delay(AFTER_REACTION_MS));

async function restarted(run: Run, side: Side, signal: NodeJS.Signals): Promise<number> {
  run.say(`${side.contestant.title}: ${signal} and start`);
  side.process.signal(signal);
  await side.process.exited;
  const [seconds, started] = await Promise.all([react(run, side), startOne(side.contestant)]);
  side.process = started;
  side.version++;
  await delay(SETTLE_MS);
  return seconds;
}

async function takenOver(run: Run, side: Side, signal: NodeJS.Signals): Promise<number> {
  run.say(`${side.contestant.title}: ${signal} of the leader, with a standby`);
  const standby = await startOne(side.contestant);
  await delay(SETTLE_MS);
  const leader = side.process;
  leader.signal(signal);
  // Ended with the run, whatever comes of the reaction.
  side.process = standby;
  const seconds = await react(run, side);
  await leader.exited;
  side.version++;
  await delay(SETTLE_MS);
  return seconds;
}
