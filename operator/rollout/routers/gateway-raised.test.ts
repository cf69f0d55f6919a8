import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { advanceRollout } from "../advance.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { step } from "../model/world.ts";
import type { RolloutInput, RouteFacts } from "../types.ts";

/** An operator ended after it had raised the route's weight to the first step's and before status said that the step has begun. */
describe("a weight that was raised before status said so", () => {
  const plan = {
    traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } },
    steps: [step("half", 50), step("all", 100)],
  };
  const raised: RouteFacts = {
    kind: "Known",
    canaryWeight: 50,
    baselineWeight: 0,
    acceptance: { kind: "Accepted" },
    mirror: 0,
    mayMirror: true,
  };
  const seconds = (count: number) => minutes(count / 60);
  const prepared = { phase: "Preparing", routedWeight: 0, routedSince: seconds(-5) } as const;
  const waiting: RouteFacts = { ...raised, acceptance: { kind: "Waiting", message: "not yet" } };
  const refused: RouteFacts = { ...raised, acceptance: { kind: "Refused", message: "m" } };
  type Around = Parameters<typeof contextAt>[1];
  interface Case {
    readonly state?: Partial<RolloutStatus>;
    readonly around?: Around;
    readonly route?: RouteFacts;
    readonly input?: Partial<RolloutInput>;
  }

  function pass({ state, around, route = raised, input }: Case) {
    const moment = contextAt({ ...prepared, ...state }, { ...around, plan: { ...plan, ...around?.plan } });
    return advanceRollout({ ...moment.input, route, ...input, state: moment.state });
  }

  it.each<[string, Case]>([
    ["that the parents have taken", {}],
    ["that no parent has taken yet", { route: waiting }],
  ])("stays where the canary enters the step at once: one %s", (_, one) => {
    const { state, routeWeight, services } = pass(one);
    expect(routeWeight).toBe(50);
    expect(services?.canary).toEqual(["b"]);
    // From here on an alert, proof or a gate can withdraw it.
    expect(state?.phase).not.toBe("Preparing");
    expect(state?.evidenceSince).toBe(minutes(0));
  });

  const hold = { name: "hot", message: "m" };
  const freeze = { name: "night", promote: "Refuse", untilMs: undefined } as const;
  it.each<[string, Case]>([
    ["while the rollout is paused", { around: { plan: { paused: true } } }],
    ["while an alert holds", { around: { alerts: { hold, rollback: undefined } } }],
    ["while the spec is refused", { around: { accepted: false } }],
    ["in a freeze of the fleet", { input: { fleet: { freeze, order: undefined, limit: undefined } } }],
    [
      "while pods of a baseline are not ready",
      { around: { plan: { baseline: "SameAge" } }, state: { baseline: "SameAge" } },
    ],
    ["that the canary's pods do not carry", { around: { pods: { b: 1 } } }],
    ["above the step's", { route: { ...raised, canaryWeight: 60 } }],
    ["that a parent refuses", { route: refused }],
    ["that the gateway may have been led by all the time", { state: { routedSince: seconds(-4) } }],
  ])("is taken out, and its clients are led to the stable version: %s", (_, one) => {
    const { state, routeWeight, routeBaseline, services } = pass(one);
    expect(state).toMatchObject({ phase: "Preparing" });
    expect(state?.routedWeight).not.toBe(0);
    expect([routeWeight, routeBaseline]).toEqual([0, 0]);
    expect(services?.canary).toEqual(["a"]);
  });

  it("keeps the canary's pods in an abort until the gateway has followed", () => {
    const { state, replicas, routeWeight, services } = pass({
      around: { plan: { paused: true }, command: { action: "abort", id: "1", revision: "b" } },
    });
    expect(state).toMatchObject({ phase: "Aborting", leftSince: minutes(0) });
    expect(replicas).toEqual({ a: 4, b: 4 });
    expect(routeWeight).toBe(0);
    expect(services?.canary).toEqual(["a"]);
  });
});
