import { describe, expect, it } from "vitest";
import { rollout } from "../../api/v1alpha1/rollout.ts";
import type { GateStatus, RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { step, T0 } from "../model/world.ts";
import type { HoldReason } from "../types.ts";
import type { GateAnswer } from "./answer.ts";
import { asked, gatesOfStep, gateTimes, heard } from "./book.ts";
import { digestOf, kindOf } from "./digest.ts";
import { FAILED_OUTSIDE } from "./withdrawals.ts";

const gates = [
  { name: "quality", webhook: { receiver: "evals" }, deadline: "30m" },
  { name: "smoke", job: { image: "registry.example/smoke:1" }, begin: "AfterEvidence", deadline: "10m" },
  { name: "other", webhook: { receiver: "evals" } },
];
const steps = [step("half", 50, { gates: ["smoke", "quality"] }), step("all", 100)];
const spec = rollout.parse({ gates, steps });
const gateOf = (name: string) => {
  const found = spec.gates.find((gate) => gate.name === name);
  if (!found) throw new Error(`no gate ${name}`);
  return found;
};
const entry = (name: string, more: Partial<GateStatus> = {}): GateStatus => ({
  name,
  kind: kindOf(gateOf(name)),
  digest: digestOf(gateOf(name)),
  since: minutes(-10),
  until: minutes(20),
  state: "Asked",
  ...more,
});
type Around = Parameters<typeof contextAt>[1];
const at = (state: Partial<RolloutStatus>, { plan, ...more }: Around = {}): Context =>
  contextAt(state, { plan: { gates, steps, ...plan }, ...more });
const answer = (kind: GateAnswer["kind"], message = "", name = "quality"): GateAnswer => ({
  ...{ name, since: minutes(-10) },
  ...{ kind, message },
});

describe("the gates of a step", () => {
  it("are those it names, in its order, as far as they are defined", () => {
    expect(gatesOfStep({ spec }, ["smoke", "gone", "quality"]).map(({ name }) => name)).toEqual([
      "smoke",
      "quality",
    ]);
  });

  it("are told apart by what they ask whom", () => {
    const digests = [gateOf("quality"), gateOf("smoke")].map(digestOf);
    expect(digests).toEqual([
      expect.stringMatching(/^[0-9a-f]{10}$/),
      expect.stringMatching(/^[0-9a-f]{10}$/),
    ]);
    expect(digestOf({ ...gateOf("quality"), deadline: "1h" })).toBe(digests[0]);
    expect(
      digestOf({
        ...gateOf("smoke"),
        job: { ...gateOf("smoke").job, image: "registry.example/smoke:2" },
      } as never),
    ).not.toBe(digests[1]);
  });
});

describe("what was heard", () => {
  const hears = (entries: GateStatus[], answers?: GateAnswer[], more: Around = {}) =>
    heard(at({ gates: entries }, { ...more, gates: answers }));

  it.each([
    [
      "a verdict",
      answer("Passed", "all good."),
      { state: "Passed", decidedAt: minutes(0), message: "all good." },
    ],
    ["a long one", answer("Failed", "x".repeat(400)), { state: "Failed", message: "x".repeat(300) }],
    ["none yet, and why", answer("Waiting", "busy"), { state: "Asked", message: "busy" }],
    ["no verdict to come", answer("NoData", "gone"), { state: "NoData", message: "gone" }],
    ["nothing", undefined, { state: "Asked" }],
  ])("of a gate is %s", (_, said, next) => {
    const { gates: book } = hears([entry("quality")], said && [said]);
    expect(book).toEqual([
      {
        ...entry("quality"),
        ...(said?.kind === "Waiting" || !said ? {} : { decidedAt: minutes(0) }),
        ...next,
      },
    ]);
  });

  it("keeps the reason of the last try where nothing is said now", () => {
    const known = entry("quality", { message: "busy" });
    expect(hears([known], [answer("Waiting")]).gates).toEqual([known]);
    expect(hears([known], [answer("Passed")]).gates).toMatchObject([{ state: "Passed", message: "busy" }]);
  });

  it.each([
    ["before its deadline", -29.99, undefined, "Asked", undefined],
    ["at its deadline", -30, undefined, "NoData", "No verdict within 30m."],
    [
      "at its deadline, with what the last try came to",
      -30,
      answer("Waiting", "status 503."),
      "NoData",
      "No verdict within 30m: status 503.",
    ],
    ["at its deadline, with a verdict that came with it", -30, answer("Passed", "ok"), "Passed", "ok"],
    [
      "at its deadline, in few words",
      -30,
      answer("Waiting", "x".repeat(400)),
      "NoData",
      `No verdict within 30m: ${"x".repeat(277)}`,
    ],
  ])("of a gate %s", (_, since, said, state, message) => {
    const given = entry("quality", { since: minutes(since) });
    const { gates: book } = hears([given], said && [{ ...said, since: given.since }]);
    expect(book?.[0]).toMatchObject({ state, until: minutes(since + 30) });
    expect(book?.[0]?.message).toBe(message);
  });

  it("counts a deadline from where a pause has moved it", () => {
    expect(hears([entry("quality", { since: minutes(-40), clock: minutes(-5) })]).gates?.[0]).toMatchObject({
      state: "Asked",
      until: minutes(25),
    });
  });

  it("is told once, with the reason where there is one", () => {
    expect(hears([entry("quality")], [answer("Passed")]).told).toEqual([
      { action: "Gate", reason: "GatePassed", message: "Gate quality of step half has passed." },
    ]);
    expect(hears([entry("quality")], [answer("Failed", "worse.")]).told).toEqual([
      { action: "Gate", reason: "GateFailed", message: "Gate quality of step half has failed: worse." },
    ]);
    expect(hears([entry("quality", { state: "Passed" })], [answer("Failed")]).told).toEqual([]);
    expect(hears([entry("quality")], [answer("Waiting")]).told).toEqual([]);
  });

  it("strikes out what the step names no longer, or is another question now", () => {
    const others = [entry("other"), entry("quality", { digest: "0" })];
    expect(hears(others).gates).toBeUndefined();
    expect(hears([...others, entry("smoke", { since: minutes(0) })]).gates).toHaveLength(1);
    expect(hears(others, [], { accepted: false })).toEqual({ gates: others, told: [] });
    expect(heard(at({ phase: "Stepping", gates: others }))).toEqual({ gates: others, told: [] });
    expect(heard(at({}))).toEqual({ gates: undefined, told: [] });
  });
});

describe("what is asked", () => {
  const asks = (state: Partial<RolloutStatus>, reason?: HoldReason, more: Around = {}) =>
    asked(at(state, more), reason && { reason, message: "" })?.map(({ name }) => name);

  it.each([
    ["with the step", {}, "HoldTime", ["quality"]],
    ["after the evidence, once gates are all that is missing", {}, "GatePending", ["smoke", "quality"]],
    ["also where one of them gave no verdict", {}, "GateNoData", ["smoke", "quality"]],
    ["with nothing else to wait for", {}, undefined, ["quality"]],
    ["once", { gates: [entry("quality")] }, "HoldTime", ["quality"]],
    ["one after the other", { gates: [entry("quality")] }, "GatePending", ["quality", "smoke"]],
    ["not before the weight is in force", { phase: "Stepping" as const }, "GatePending", undefined],
    ["not for a step that was renamed", { stepName: "gone" }, "GatePending", undefined],
  ])("is asked %s", (_, state, reason, names) => {
    expect(asks(state, reason as HoldReason | undefined)).toEqual(names);
  });

  it("is asked not in a pause, and dry ones with the step", () => {
    expect(asks({}, "GatePending", { plan: { paused: true } })).toBeUndefined();
    const dry = gates.map((gate) => ({ ...gate, dryRun: true }));
    expect(asks({}, "HoldTime", { plan: { gates: dry } })).toEqual(["smoke", "quality"]);
  });

  it("is entered with its deadline", () => {
    expect(asked(at({}), undefined)).toEqual([entry("quality", { since: minutes(0), until: minutes(30) })]);
  });

  it("runs out of time at its deadline, while there is no verdict", () => {
    const entries = [entry("quality"), entry("smoke", { state: "Passed", until: minutes(1) })];
    expect(gateTimes(at({ gates: entries }))).toEqual([T0 + 20 * 60_000]);
    expect(gateTimes(at({}))).toEqual([]);
  });
});

describe("a gate that makes a canary leave", () => {
  const why = (state: Partial<RolloutStatus>, more: Around = {}) =>
    FAILED_OUTSIDE.map((policy) => policy(at(state, more)));
  const failed = { gates: [entry("quality", { state: "Failed", message: "The answers are worse." })] };
  const silent = { gates: [entry("quality", { state: "NoData", message: "No verdict within 30m." })] };
  const strict = { plan: { gates: [{ ...gates[0], noData: "Rollback" }, ...gates.slice(1)] } };

  it("has failed, or gave no verdict where that is to roll back", () => {
    expect(why(failed)).toEqual([
      { reason: "GateFailed", message: "gate quality: the answers are worse" },
      undefined,
    ]);
    expect(why(silent, strict)).toEqual([
      undefined,
      { reason: "GateNoData", message: "gate quality: no verdict within 30m" },
    ]);
    expect(why(silent)).toEqual([undefined, undefined]);
  });

  it("need not say why", () => {
    expect(why({ gates: [entry("quality", { state: "Failed" })] })[0]?.message).toBe(
      "gate quality: it failed",
    );
    expect(why({ gates: [entry("quality", { state: "NoData" })] }, strict)[1]?.message).toBe(
      "gate quality: no verdict",
    );
  });

  it.each([
    ["under onFailure Pause", failed, { plan: { onFailure: "Pause" } }],
    ["under a refused spec", failed, { accepted: false }],
    ["out of a hold", { ...failed, phase: "Stepping" as const }, {}],
    ["without a verdict under a refused spec", silent, { ...strict, accepted: false }],
    ["without a verdict out of a hold", { ...silent, phase: "Stepping" as const }, strict],
  ])("is none %s", (_, state, more) => {
    expect(why(state, more)).toEqual([undefined, undefined]);
  });
});
