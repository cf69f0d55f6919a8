import { afterEach, describe, expect, it } from "vitest";
import type { CallOptions, KubeClient } from "./client.ts";
import { sleep } from "./clock.ts";
import { ApiError } from "./errors.ts";
import { createElection } from "./lease.ts";
import type { Lease } from "./lease-record.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** What a real server does is in lease.server.test.ts; here, at the times of production, what becomes of requests that hang. */

const shutdown: AbortController[] = [];
afterEach(() => {
  for (const one of shutdown.splice(0)) one.abort();
});

/** A server with one lease, which hangs on the renewals of these numbers, counted from 1. */
function elect(
  hanging: readonly number[],
  {
    answersAfterMs = 0,
    hangingReads = 0,
    work = () => {},
  }: { answersAfterMs?: number; hangingReads?: number; work?: () => void | Promise<void> } = {},
) {
  const clock = createVirtualClock();
  const sentAtMs: number[] = [];
  let version = 1;
  const stored = (): Lease => ({
    metadata: { name: "one", namespace: "ns", uid: "uid", resourceVersion: String(version) },
    spec: { holderIdentity: "us" },
  });
  const hang = async ({ signal, deadlineMs = 30_000 }: CallOptions): Promise<never> => {
    await sleep(clock, deadlineMs, signal);
    signal?.throwIfAborted();
    throw new Error("no answer");
  };
  let isMade = false;
  let isReleased = false;
  const client = {
    // It takes its time to end, too.
    watch: () => new Promise<never>(() => {}),
    async get(_: unknown, __: string, ___: string, call: CallOptions) {
      if (hangingReads-- > 0) return hang(call);
      if (!isMade) throw new ApiError("get leases", 404, {});
      return stored();
    },
    async create() {
      isMade = true;
      return stored();
    },
    async mergePatch(_: unknown, __: string, ___: string, { spec }: Partial<Lease>, call: CallOptions) {
      isReleased = spec?.holderIdentity === "";
      sentAtMs.push(clock.monotonic());
      if (hanging.includes(sentAtMs.length)) return hang(call);
      await sleep(clock, answersAfterMs);
      call.signal?.throwIfAborted();
      version++;
      return stored();
    },
  } as Partial<KubeClient> as KubeClient;
  const election = createElection({ client, clock, namespace: "ns", name: "one", identity: "us" });
  const stop = new AbortController();
  shutdown.push(stop);
  let end: string | undefined;
  void election.run(stop.signal, { onStarted: work, onStopped: () => {} }).then((ended) => {
    end = ended;
  });
  return { clock, election, stop, sentAtMs, end: () => end, released: () => isReleased };
}

it("a candidate whose look at the lease hangs goes on without it", async () => {
  const { clock, election } = elect([], { hangingReads: 1 });
  await clock.advance(5_001);
  expect(election.isLeader()).toBe(true);
});

it("a winner leads at once, however long its watch of the lease takes to end", async () => {
  const { clock, election } = elect([]);
  await clock.advance(1);
  expect(election.isLeader()).toBe(true);
});

describe("an election that is told to end", () => {
  it("says so where the lease is not released, as the work goes on", async () => {
    const { clock, stop, end, released } = elect([], { work: () => new Promise(() => {}) });
    await clock.advance(1);
    stop.abort();
    await clock.advance(5_000);
    expect([end(), released()]).toEqual(["unreleased", false]);
  });

  it("says so where the server does not take it back", async () => {
    const { clock, stop, end } = elect([1]);
    await clock.advance(1);
    stop.abort();
    await clock.advance(10_000);
    expect(end()).toBe("unreleased");
  });

  it("releases it otherwise", async () => {
    const { clock, stop, end, released } = elect([]);
    await clock.advance(1);
    stop.abort();
    await clock.advance(1);
    expect([end(), released()]).toEqual(["released", true]);
  });
});

describe("renewals", () => {
  it("outlive one try that hangs", async () => {
    const { clock, election, sentAtMs, end } = elect([1]);
    await clock.advance(12_000);
    expect([election.isLeader(), end()]).toEqual([true, undefined]);
    expect(sentAtMs.slice(0, 2)).toEqual([5_000, 7_000]);
    await clock.advance(60_000);
    expect(election.isLeader()).toBe(true);
  });

  it("outlive a server that takes as long as there is time", async () => {
    const { clock, election } = elect([], { answersAfterMs: 4_900 });
    await clock.advance(60_000);
    expect(election.isLeader()).toBe(true);
  });

  it("end the term at its deadline where nothing is answered", async () => {
    const { clock, election, end } = elect([1, 2, 3, 4]);
    await clock.advance(9_999);
    expect(election.isLeader()).toBe(true);
    await clock.advance(1);
    expect(election.isLeader()).toBe(false);
    await clock.advance(1);
    expect(end()).toBe("lost");
  });

  it("are twelve a minute where each is answered", async () => {
    const { clock, sentAtMs } = elect([], { answersAfterMs: 100 });
    await clock.advance(60_000);
    expect(sentAtMs).toEqual(Array.from({ length: 12 }, (_, index) => 5_000 * (index + 1)));
  });
});
