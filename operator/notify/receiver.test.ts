import { describe, expect, it } from "vitest";
import { silentLog } from "../kube/log.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import type { DecisionEvent } from "./decision-event.ts";
import type { Attempt } from "./delivery.ts";
import { createNotifyMetrics } from "./metrics.ts";
import { createReceiver } from "./receiver.ts";
import { event } from "./testing/events.ts";

/** A receiver that answers as told, on a clock that moves when told. */
function bed(answers: (id: string, tries: number) => Attempt | "Hangs", capacity?: number) {
  const clock = createVirtualClock();
  const tried: string[] = [];
  const settled: string[] = [];
  const warned: string[] = [];
  const metrics = createNotifyMetrics();
  const startMs = clock.now();
  const at: number[] = [];
  const counts = new Map<string, number>();
  const receiver = createReceiver({
    name: "hook",
    delivery: {
      async attempt({ id }) {
        tried.push(id);
        at.push(clock.now() - startMs);
        counts.set(id, (counts.get(id) ?? 0) + 1);
        const answer = answers(id, counts.get(id) ?? 1);
        return answer === "Hangs" ? new Promise<Attempt>(() => undefined) : answer;
      },
      close: async () => undefined,
    },
    ...{ clock, metrics, random: () => 1 },
    log: { ...silentLog, child: () => ({ ...silentLog, warn: (_, message) => void warned.push(message) }) },
    onSettled: ({ id }) => void settled.push(id),
    ...(capacity === undefined ? {} : { capacity }),
  });
  const counted = async (name: string) =>
    Object.fromEntries(
      ((await metrics[name as "notifications"].get()).values ?? []).map(({ labels, value }) => [
        labels.result ?? "all",
        value,
      ]),
    );
  return { clock, tried, at, settled, warned, receiver, counted };
}

const delivered: Attempt = { kind: "Delivered" };
const later: Attempt = { kind: "Later", why: "no connection" };
const tell = (receiver: { tell(event: DecisionEvent): void }, ids: readonly string[]) => {
  for (const id of ids) receiver.tell(event({ id }));
};

describe("a receiver", () => {
  it("is told in order, one at a time", async () => {
    const { clock, tried, settled, receiver, counted } = bed(() => delivered);
    tell(receiver, ["a", "b", "c"]);
    expect(tried).toEqual(["a"]);
    await clock.advance(0);
    expect(tried).toEqual(["a", "b", "c"]);
    expect(settled).toEqual(["a", "b", "c"]);
    expect(await counted("notifications")).toEqual({ sent: 3 });
    expect(await counted("waiting")).toEqual({ all: 0 });
  });

  it("is tried again with growing pauses, and what comes after waits its turn", async () => {
    const { clock, tried, at, receiver, counted } = bed((_, tries) => (tries < 4 ? later : delivered));
    tell(receiver, ["a", "b"]);
    await clock.advance(60_000);
    expect(tried).toEqual(["a", "a", "a", "a", "b", "b", "b", "b"]);
    expect(at.slice(0, 4)).toEqual([0, 1_000, 3_000, 7_000]);
    expect(await counted("notifications")).toEqual({ sent: 2 });
    expect(await counted("retries")).toEqual({ all: 6 });
  });

  it("is left alone for as long as it asks", async () => {
    const busy: Attempt = { kind: "Later", why: "HTTP status 429", afterMs: 90_000 };
    const { clock, at, receiver } = bed((_, tries) => (tries === 1 ? busy : delivered));
    tell(receiver, ["a"]);
    await clock.advance(200_000);
    expect(at).toEqual([0, 90_000]);
  });

  it("is not tried again where it refuses for good, and given up after the last try", async () => {
    const { clock, tried, settled, warned, receiver, counted } = bed((id) =>
      id === "bad" ? { kind: "Refused", why: "HTTP status 400" } : later,
    );
    tell(receiver, ["bad", "never"]);
    await clock.advance(3_600_000);
    expect(tried.filter((id) => id === "bad")).toHaveLength(1);
    expect(tried.filter((id) => id === "never")).toHaveLength(12);
    expect(settled).toEqual(["bad", "never"]);
    expect(warned).toHaveLength(2);
    expect(await counted("notifications")).toEqual({ refused: 1, given_up: 1 });
    expect(clock.pending).toBe(0);
  });

  it("that hangs drops the oldest of what waits, counts each and says so once", async () => {
    const { clock, settled, warned, receiver, counted } = bed(() => "Hangs", 3);
    tell(receiver, ["a", "b", "c", "d", "e", "f"]);
    await clock.advance(3_600_000);
    expect(settled).toEqual(["b", "c", "d"]);
    expect(warned).toEqual([expect.stringContaining("the oldest are dropped")]);
    expect(await counted("notifications")).toEqual({ dropped: 3 });
    expect(await counted("waiting")).toEqual({ all: 3 });
  });

  it("gives back what was not delivered when it is stopped", async () => {
    const { clock, receiver, settled } = bed(() => later);
    tell(receiver, ["a", "b"]);
    await clock.advance(500);
    const left = await receiver.stop();
    expect(left.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(settled).toEqual([]);
    tell(receiver, ["c"]);
    await receiver.idle();
    expect(clock.pending).toBe(0);
  });
});
