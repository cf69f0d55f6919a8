import { describe, expect, it } from "vitest";
import { silentLog } from "../kube/log.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { createGateCalls } from "./calls.ts";
import { createGateMetrics } from "./metrics.ts";
import { questionId } from "./question.ts";
import { question } from "./testing/questions.ts";
import type { Verdict } from "./verdict.ts";

const KEY = { namespace: "ai", name: "chat" };

interface Try {
  readonly id: string;
  readonly attempt: number;
  readonly atMs: number;
  readonly by: string;
  readonly signal: AbortSignal;
}

/** Webhooks that say what the test says, on a clock that moves when told. */
function bed(says: (attempt: number) => Verdict | "Hangs") {
  const clock = createVirtualClock();
  const startMs = clock.now();
  const tries: Try[] = [];
  const told: string[] = [];
  const closed: string[] = [];
  const metrics = createGateMetrics();
  const calls = createGateCalls({
    ...{ log: silentLog, metrics, clock, random: () => 1 },
    open: ({ name, url = "" }) => ({
      async ask(asked, attempt, _, signal) {
        tries.push({
          id: questionId(asked),
          attempt,
          atMs: clock.now() - startMs,
          by: `${name} ${url}`,
          signal,
        });
        const verdict = says(attempt);
        if (verdict !== "Hangs") return verdict;
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ kind: "Error", reason: "given up" }));
        });
      },
      close: async () => void closed.push(name),
    }),
  });
  calls.onAnswer(({ name }) => told.push(name));
  calls.configure([{ name: "evals", url: "https://a" }]);
  const counted = async () =>
    Object.fromEntries(
      (await metrics.tries.get()).values.map(({ labels, value }) => [
        `${labels.receiver} ${labels.result}`,
        value,
      ]),
    );
  return { clock, tries, told, closed, calls, counted };
}

const passed: Verdict = { kind: "Passed", reason: "as good" };
const error: Verdict = { kind: "Error", reason: "HTTP status 503" };

describe("questions for webhooks", () => {
  it("are asked once, and answered for as long as they are asked", async () => {
    const { calls, clock, tries, told, counted } = bed(() => passed);
    expect(calls.follow(KEY, [question()])).toEqual([]);
    await clock.advance(60_000);
    const answer = { name: "quality", since: question().since, kind: "Passed", message: "as good" };
    expect(calls.follow(KEY, [question()])).toEqual([answer]);
    await clock.advance(60_000);
    expect(calls.follow(KEY, [question()])).toEqual([answer]);
    expect(tries).toHaveLength(1);
    expect(told).toEqual(["chat"]);
    expect(await counted()).toMatchObject({ "evals pass": 1, "evals error": 0 });
    calls.follow(KEY, []);
    expect(calls.follow(KEY, [question()])).toEqual([]);
    await calls.close();
  });

  it("are asked again after what went wrong, later each time, and told of once", async () => {
    const { calls, clock, tries, told } = bed((attempt) => (attempt < 9 ? error : passed));
    calls.follow(KEY, [question()]);
    await clock.advance(10 * 60_000);
    expect(tries.map(({ atMs }) => atMs / 1000)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
    expect(told).toEqual(["chat", "chat"]);
    await calls.close();
  });

  it("are asked again when the webhook wants it", async () => {
    const wait: Verdict = { kind: "Wait", reason: "12 of 40", afterMs: 30_000 };
    const later: Verdict = { kind: "Error", reason: "HTTP status 429", afterMs: 45_000 };
    const { calls, clock, tries } = bed((attempt) => [wait, later, passed][attempt - 1] ?? passed);
    calls.follow(KEY, [question()]);
    await clock.advance(29_000);
    expect(calls.follow(KEY, [question()])).toMatchObject([{ kind: "Waiting", message: "12 of 40" }]);
    await clock.advance(60_000);
    expect(tries.map(({ atMs }) => atMs / 1000)).toEqual([0, 30, 75]);
    await calls.close();
  });

  it("are given up in the middle of a try when nobody asks them any more, and one beside them is not", async () => {
    const { calls, clock, tries, told } = bed(() => "Hangs");
    calls.follow(KEY, [question(), question({ gate: "other" })]);
    await clock.advance(0);
    calls.follow(KEY, [question({ gate: "other" })]);
    await clock.advance(60_000);
    expect(tries.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    calls.forget(KEY);
    expect(tries.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    await clock.advance(60_000);
    expect(tries).toHaveLength(2);
    expect(told).toEqual([]);
    await calls.close();
  });

  it("go to another address with the next try once the settings say so, and wait while there is none", async () => {
    const { calls, clock, tries, closed, counted } = bed((attempt) => (attempt < 4 ? error : passed));
    calls.follow(KEY, [question()]);
    await clock.advance(0);
    calls.configure([]);
    expect(closed).toEqual(["evals"]);
    await clock.advance(1_000);
    expect(calls.follow(KEY, [question()])).toMatchObject([
      { kind: "Waiting", message: 'gateWebhooks of the operator\'s settings has no "evals" any more' },
    ]);
    expect(await counted()).toEqual({});
    calls.configure([{ name: "evals", url: "https://b" }]);
    await clock.advance(60_000);
    expect(tries.map(({ by }) => by)).toEqual(["evals https://a", "evals https://b", "evals https://b"]);
    expect(calls.follow(KEY, [question()])).toMatchObject([{ kind: "Passed" }]);
    await calls.close();
  });

  it("of one bridge are not those of another of its name", async () => {
    const { calls, clock, tries } = bed(() => "Hangs");
    calls.follow(KEY, [question()]);
    calls.follow({ namespace: "other", name: "chat" }, []);
    await clock.advance(0);
    expect(tries[0]?.signal.aborted).toBe(false);
    await calls.close();
    expect(tries[0]?.signal.aborted).toBe(true);
  });
});
