import { describe, expect, it, vi } from "vitest";
import { ApiError, TransportError } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type Arguments, parseArguments } from "../arguments.ts";
import { bridgeView } from "../bridge-view.ts";
import { sentenceOf } from "../connection.ts";
import { CliFailure, Interruption } from "../failure.ts";
import { firstState } from "../status/first-state.ts";
import { statesOf } from "../status/state-changes.ts";
import { type Line, lineOf, storedWith } from "../testing/following.ts";
import { testTerminal } from "../testing/terminal.ts";
import { status } from "./status.ts";

const since = "2026-11-21T09:00:00Z";
const condition = (type: string, is: string, message = "m") => ({
  ...{ type, status: is, reason: "R", message, observedGeneration: 1, lastTransitionTime: since },
});
const rolling = {
  ...{ observedGeneration: 1, revision: "d04be8", phase: "Holding", summary: "Holding canary d04be8." },
  rollout: { phase: "Holding", phaseSince: since, stableRevision: "7c9f21", canaryRevision: "d04be8" },
};
const stable = {
  ...{ ...rolling, phase: "Stable", summary: "Serving." },
  rollout: { phase: "Stable", phaseSince: since, stableRevision: "d04be8" },
};
const refused = {
  ...rolling,
  ...{ revision: undefined, conditions: [condition("Accepted", "False"), condition("Stalled", "True")] },
};

/** Begins `status chat`; a refusal has stood for long enough when a test says that it has settled. */
function begin(first: KubeObject, ...options: string[]) {
  const line = lineOf(first);
  const interrupted = new AbortController();
  const terminal = testTerminal({ signal: interrupted.signal });
  const args = parseArguments(["status", "chat", ...options]) as Arguments;
  const settled = Promise.withResolvers<void>();
  const settle = vi.fn(() => settled.promise);
  const ended = status({ ...args, name: "chat" }, line.connection, terminal, settle);
  // It may end before the test asks.
  ended.catch(() => {});
  const shows = (text: string) => expect.poll(() => terminal.out).toContain(text);
  const interrupt = (by: "SIGINT" | "SIGTERM") => interrupted.abort(new Interruption(by));
  return { line, terminal, ended, shows, settle, settled: settled.resolve, interrupt };
}

describe("status", () => {
  it("is over at once where nothing is left to follow, with one line", async () => {
    const { ended, terminal } = begin(storedWith(stable));
    expect(await ended).toBe(0);
    expect(terminal.out).toBe("chat: Revision d04be8 is stable.\n");
  });

  it("waits for the operator to see the generation, whatever was before", async () => {
    const { line, ended, terminal, shows } = begin(storedWith(stable, { generation: 2 }));
    line.say("MODIFIED", storedWith({ ...rolling, observedGeneration: 2 }, { generation: 2 }));
    await shows("Generation 2 asks for revision d04be8 (1.5.0).");
    line.say("MODIFIED", storedWith({ ...stable, observedGeneration: 2 }, { generation: 2 }));
    expect(await ended).toBe(0);
    expect(terminal.out).toMatch(
      /Holding canary d04be8\.\n.*Serving\.\nchat: Revision d04be8 is stable\.\n$/,
    );
  });

  it("ends with a refusal that stands, and not with one that is cured in the same breath", async () => {
    const cured = begin(storedWith(refused));
    await cured.shows("Holding canary");
    cured.line.say("MODIFIED", storedWith(rolling));
    await cured.shows("asks for revision d04be8");
    // What began with the refusal is over, and it is not the end.
    expect(cured.settle).toHaveBeenCalledOnce();
    cured.settled();
    cured.line.say("MODIFIED", storedWith(stable));
    expect(await cured.ended).toBe(0);
    const { line, ended, terminal, shows, settle, settled } = begin(storedWith(refused));
    await shows("Holding canary");
    // Another word of the same refusal does not put the end off.
    line.say("MODIFIED", storedWith({ ...refused, summary: "Still refused." }));
    await shows("Still refused.");
    expect(settle).toHaveBeenCalledOnce();
    settled();
    expect(await ended).toBe(4);
    expect(terminal.out).toMatch(/\nchat: The spec is refused: m\.\n$/);
  });

  it("keeps stdout to the answer where a program asks", async () => {
    const { line, ended, terminal } = begin(storedWith(rolling), "-o", "json");
    await expect.poll(() => terminal.err).toContain("Holding canary d04be8.");
    line.say("MODIFIED", storedWith(stable));
    expect(await ended).toBe(0);
    expect(JSON.parse(terminal.out)).toEqual({
      bridge: { namespace: "ai", name: "chat" },
      ...{ outcome: "Stable", generation: 1, revision: "d04be8", stable: "d04be8", phase: "Stable" },
      ...{ image: "registry.example/bridge:1.5.0", message: "Revision d04be8 is stable." },
    });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("says by its exit code that %s has ended it", async (by, exitCode) => {
    const { ended, shows, interrupt } = begin(storedWith(rolling));
    await shows("Holding canary");
    interrupt(by);
    await expect(ended).rejects.toMatchObject({ exitCode, message: expect.stringMatching(/^interrupted;/) });
  });

  it("is patient from the beginning", async () => {
    const line = lineOf(storedWith(stable));
    const { get } = line.connection.client;
    const asked = vi.spyOn(line.connection.client, "get");
    asked.mockRejectedValueOnce(new TransportError("get", "ECONNREFUSED")).mockImplementation(get);
    const terminal = testTerminal();
    const args = { ...(parseArguments(["status", "chat"]) as Arguments), name: "chat" };
    expect(await status(args, line.connection, terminal)).toBe(0);
    expect(terminal.err).toMatch(/ {2}the API server does not answer \(.*\); is .* right\?\n$/);
  });

  it("tells how it stands when the time is over", async () => {
    const { ended } = begin(storedWith(rolling), "--timeout", "200ms");
    await expect(ended).rejects.toMatchObject({
      exitCode: 3,
      message:
        "not over within 200ms. Holding canary d04be8. `kubectl llmbridge explain chat` says what it waits for.",
    });
  });
});

describe("firstState", () => {
  const away = new TransportError("get", "connect ECONNREFUSED");
  const unauthorized = new ApiError("get", 401, { message: "Unauthorized" });
  /** Answers with each of these in turn, and from then on with the last one. */
  function asking(answers: readonly (KubeObject | Error)[], options: { awayForMs?: number } = {}) {
    const line = lineOf(storedWith(rolling));
    const [last] = answers.slice(-1);
    const left = [...answers];
    vi.spyOn(line.connection.client, "get").mockImplementation(async () => {
      const answer = left.shift() ?? last;
      if (answer instanceof Error) throw answer;
      return answer as never;
    });
    const troubles: string[] = [];
    const onTrouble = (sentence: string) => troubles.push(sentence);
    const { signal } = new AbortController();
    const first = firstState(line.connection, "chat", { signal, onTrouble, againMs: 1, ...options });
    first.catch(() => {});
    return { first, troubles };
  }

  it("waits for an API server that is away, and while it starts", async () => {
    const unavailable = new ApiError("get", 503, { message: "no backend" });
    const { first, troubles } = asking([away, unavailable, unauthorized, storedWith(stable)]);
    expect((await first).status.phase).toBe("Stable");
    expect(troubles).toEqual([away, unavailable, unauthorized].map(sentenceOf));
  });

  it.each([
    ["a refusal", [unauthorized], {}, unauthorized],
    ["one that is away for too long", [away], { awayForMs: 0 }, away],
    ["no bridge", [new ApiError("get", 404, { message: "no" })], {}, CliFailure],
  ])("does not wait longer for %s", async (_, answers, options, error) => {
    await expect(asking(answers, options).first).rejects.toThrow(error);
  });
});

describe("statesOf", () => {
  /** The phases that are told, and how it ends. */
  function follow(line: Line) {
    const stop = new AbortController();
    const phases: (string | undefined)[] = [];
    const troubles: string[] = [];
    const options = {
      signal: stop.signal,
      onTrouble: (said: string) => troubles.push(said),
      refusedForMs: 200,
    };
    const ended = (async () => {
      for await (const { status: at } of statesOf(line.connection, bridgeView(storedWith(rolling)), options))
        phases.push(at.phase);
    })();
    ended.catch(() => {});
    return { phases, troubles, ended, stop: () => stop.abort() };
  }
  const away = new TransportError("watch", "other side closed");
  const unauthorized = new ApiError("watch", 401, { message: "Unauthorized" });

  it("goes on when the API server is there again, and says meanwhile that it is not", async () => {
    const line = lineOf(storedWith(rolling));
    const { phases, troubles, stop } = follow(line);
    await expect.poll(() => phases).toEqual(["Holding"]);
    line.isAway = away;
    line.breakWith(away);
    await expect
      .poll(() => troubles.join())
      .toMatch(/no changes come in \(.*other side closed\); trying again/);
    line.isAway = undefined;
    line.stored = storedWith(stable);
    await expect.poll(() => phases.at(-1), { timeout: 15_000 }).toBe("Stable");
    stop();
  });

  it("ends where the server knows the person no more, and not where it thinks again", async () => {
    const line = lineOf(storedWith(rolling));
    const { phases, ended } = follow(line);
    await expect.poll(() => phases).toEqual(["Holding"]);
    line.stored = unauthorized;
    line.isAway = unauthorized;
    line.breakWith(unauthorized);
    await expect(ended).rejects.toBe(unauthorized);
    const again = lineOf(storedWith(rolling));
    const starting = follow(again);
    await expect.poll(() => starting.phases).toEqual(["Holding"]);
    again.breakWith(unauthorized);
    await expect.poll(() => starting.troubles).toHaveLength(1);
    again.stored = storedWith(stable);
    await expect.poll(() => starting.phases.at(-1), { timeout: 15_000 }).toBe("Stable");
    starting.stop();
  });

  it.each([
    ["after it was away", away, unauthorized],
    [
      "and is away when it is asked once more",
      unauthorized,
      new ApiError("get", 503, { message: "shutting down" }),
    ],
  ] as const)("ends where the server knows the person no more %s", async (_, first, then) => {
    const line = lineOf(storedWith(rolling));
    const asked = vi.spyOn(line.connection.client, "get");
    const { phases, troubles, ended } = follow(line);
    await expect.poll(() => phases).toEqual(["Holding"]);
    line.stored = then;
    line.isAway = first;
    line.breakWith(first);
    await expect.poll(() => troubles).toHaveLength(1);
    line.isAway = unauthorized;
    await expect.poll(() => asked.mock.calls.length, { timeout: 15_000 }).toBeGreaterThan(0);
    line.stored = unauthorized;
    await expect(ended).rejects.toBe(unauthorized);
  });

  it.each([
    ["it is deleted", "DELETED", {}, "chat was deleted."],
    ["it waits for its end", "MODIFIED", { deletionTimestamp: since }, "chat is being deleted."],
    ["another one has its name", "MODIFIED", { uid: "u2" }, "chat was deleted, and another one"],
  ] as const)("ends when %s", async (_, type, metadata, message) => {
    const line = lineOf(storedWith(rolling));
    const { phases, ended } = follow(line);
    await expect.poll(() => phases).toEqual(["Holding"]);
    line.say(type, storedWith(rolling, metadata));
    await expect(ended).rejects.toThrow(message);
    await expect(ended).rejects.toBeInstanceOf(CliFailure);
  });
});
