import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../kube/until.ts";
import { type Bed, openBed } from "./bed.ts";
import { type Outcome, outcomeDifferences } from "./outcome.ts";
import { isOwnWrite } from "./proxy.ts";
import { resize } from "./storms.ts";
import { delayed, heldUntil, reset, type Strike } from "./strike.ts";
import { type TakenOver, takeOver } from "./takeover.ts";

/** A leader that ends, or stands still, while a write of it is on its way, and a standby with full caches. */

/** What a machine that does other work may add. `bench/operator/restarts.ts` measures. */
const SLACK_MS = 10_000;
/** Others wait so long after the last sign of the holder. */
const RUN_OUT_WITHIN_MS = 15_000 + SLACK_MS;
/** A lease that is renewed every 5 s and runs out after 15 s is free no sooner: one that is taken before was released. It takes 1 s on a quiet machine. */
const RELEASED_WITHIN_MS = 10_000;
/** From the lease to the first write. */
const ACTS_WITHIN_MS = 3_000 + SLACK_MS;
const ON_ITS_WAY_MS = 300;

let bed: Bed;
let reference: Outcome;
beforeAll(async () => {
  bed = await openBed();
  const { outcome } = await takeOver(bed, (_, bridge) => bridge.patch({ replicas: 3 }));
  reference = outcome;
});
afterAll(async () => bed?.down());

const standbyBeganMs = ({ standbyWrote }: TakenOver): number =>
  Math.min(...standbyWrote.map(({ receivedMs }) => receivedMs));

/** All is as if one operator had done it, and of the two one wrote after the other. */
function expectTurns(takenOver: TakenOver): void {
  const { outcome, idle, leaderWrote, taken } = takenOver;
  expect(outcomeDifferences(reference, outcome)).toEqual([]);
  expect(idle.map(({ verb, path }) => `${verb} ${path}`)).toEqual([]);
  const leaderEnded = Math.max(...leaderWrote.map(({ answeredMs }) => answeredMs));
  expect(leaderEnded).toBeLessThanOrEqual(taken?.receivedMs ?? Number.NaN);
  expect(taken?.answeredMs).toBeLessThanOrEqual(standbyBeganMs(takenOver));
}

describe.concurrent("scenario 32: the leader ends while a write of it is on its way", () => {
  const onItsWay = (): Strike =>
    heldUntil(new Promise((resolve) => setTimeout(resolve, ON_ITS_WAY_MS)), true);

  it.each([
    ["SIGTERM", "before the server has carried it out", () => delayed(ON_ITS_WAY_MS), RELEASED_WITHIN_MS],
    ["SIGTERM", "after the server has carried it out", onItsWay, RELEASED_WITHIN_MS],
    ["SIGKILL", "before the server has carried it out", () => reset(), RUN_OUT_WITHIN_MS],
    ["SIGKILL", "after the server has carried it out", () => reset(true), RUN_OUT_WITHIN_MS],
  ] as const)("%s %s: the standby goes on in time, and no write is lost or done twice", async (...row) => {
    const [signal, , strike, withinMs] = row;
    let hitMs = Number.NaN;
    const takenOver = await takeOver(
      bed,
      async ({ leader, strikeWrite }, bridge) => {
        const struck = strikeWrite(strike(), () => {
          hitMs = Date.now();
          leader.process.signal(signal);
        });
        await bridge.patch({ replicas: 3 });
        await struck;
      },
      reference,
    );
    expectTurns(takenOver);
    const takenMs = takenOver.taken?.receivedMs ?? Number.NaN;
    expect(takenMs - hitMs).toBeLessThan(withinMs);
    expect(standbyBeganMs(takenOver) - takenMs).toBeLessThan(ACTS_WITHIN_MS);
  });
});

describe.concurrent("scenario 14: the leader stands still in the middle of a pass", () => {
  it("after a write whose answer it reads when the other has led: the writes that follow it are not sent", async () => {
    const still = Promise.withResolvers<void>();
    let sent: readonly unknown[] = [];
    const taken = await takeOver(
      bed,
      async ({ leader, strikeWrite, standbyLeads }, bridge) => {
        const writes = () => leader.proxy.requests.filter(isOwnWrite);
        const struck = strikeWrite(heldUntil(still.promise, true), () => {
          void leader.process.pause().then(still.resolve);
        });
        await bridge.patch({ replicas: 3 });
        await Promise.all([struck, still.promise]);
        await until("the standby to lead", standbyLeads, RUN_OUT_WITHIN_MS);
        await resize(bridge, 3);
        const before = writes().length;
        leader.process.resume();
        expect(await leader.process.exited).toBe(1);
        sent = writes().slice(before);
      },
      reference,
    );
    expect(sent).toEqual([]);
    expectTurns(taken);
  });

  it("before a write that reaches the server when the other has led: it is refused", async () => {
    const late = Promise.withResolvers<void>();
    const still = Promise.withResolvers<void>();
    let codes: readonly unknown[] = [];
    const taken = await takeOver(
      bed,
      async ({ leader, strikeWrite, standbyLeads }, bridge) => {
        const struck = strikeWrite(heldUntil(late.promise), () => {
          void leader.process.pause().then(still.resolve);
        });
        await bridge.patch({ replicas: 3 });
        const [held] = await Promise.all([struck, still.promise]);
        await until("the standby to lead", standbyLeads, RUN_OUT_WITHIN_MS);
        await resize(bridge, 3);
        late.resolve();
        await until("the server's answer", () => held.serverCode);
        leader.process.resume();
        expect(await leader.process.exited).toBe(1);
        codes = [held.serverCode];
      },
      reference,
    );
    expect(codes).toEqual([409]);
    expectTurns(taken);
  });
});
