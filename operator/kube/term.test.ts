import { describe, expect, it } from "vitest";
import { FencedError } from "./errors.ts";
import { startTerm } from "./term.ts";
import { createVirtualClock } from "./virtual-clock.ts";

function start() {
  const clock = createVirtualClock();
  const stalls: number[] = [];
  let behindMs = 0;
  // A stalled loop: time has passed, but no timer has fired yet.
  const stallable = { ...clock, monotonic: () => clock.monotonic() + behindMs };
  const term = startTerm({
    clock: stallable,
    sentAtMs: 0,
    renewDeadlineMs: 10_000,
    stallMs: 2_000,
    onStall: () => stalls.push(clock.monotonic()),
  });
  return { clock, term, stalls, stall: (ms: number) => (behindMs += ms) };
}

describe("term", () => {
  it("permits writes until the renewal deadline and then aborts those on the wire", async () => {
    const { clock, term } = start();
    const permission = term.fence();
    await clock.advance(9_999);
    expect(permission.aborted).toBe(false);
    term.fence();
    await clock.advance(1);
    expect(permission.aborted).toBe(true);
    expect(permission.reason).toBeInstanceOf(FencedError);
    expect(() => term.fence()).toThrow("could not be renewed in time");
    expect(clock.pending).toBe(0);
  });

  it("counts a renewal from when it was sent", async () => {
    const { clock, term } = start();
    await clock.advance(5_000);
    term.renewed(4_000);
    await clock.advance(8_999);
    term.fence();
    await clock.advance(1);
    expect(() => term.fence()).toThrow(FencedError);
  });

  it("refuses a write right after a stall, before any timer has fired, and permits it after a renewal", async () => {
    const { clock, term, stalls, stall } = start();
    await clock.advance(1_000);
    stall(3_000);
    expect(() => term.fence()).toThrow("in doubt");
    expect(stalls).toHaveLength(1);
    expect(term.signal.aborted).toBe(false);
    term.renewed(4_000);
    expect(term.fence().aborted).toBe(false);
  });

  it("does not permit a write after a stall beyond the deadline, though the deadline's timer has not fired", async () => {
    const { term, stall } = start();
    stall(20_000);
    expect(() => term.fence()).toThrow("could not be renewed in time");
    expect(term.signal.aborted).toBe(true);
  });

  it("is not brought back by a renewal that was answered too late", async () => {
    const { clock, term } = start();
    await clock.advance(10_000);
    term.renewed(9_000);
    expect(() => term.fence()).toThrow(FencedError);
  });
});
