import { describe, expect, it } from "vitest";
import { circle, whyNotYet } from "./order.ts";
import { ALONE, type FleetView, type Peer } from "./view.ts";

const settled: Peer = { after: [], phase: "Stable", heldFor: undefined, current: true, stalled: undefined };
const fleet = (peers: Record<string, Partial<Peer>>): FleetView => ({
  ...ALONE,
  peers: Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, { ...settled, ...peer }])),
});

describe("whyNotYet", () => {
  it("is nothing while all that it names are through", () => {
    expect(whyNotYet(fleet({ a: {}, b: { phase: "Draining" } }), "chat", ["a", "b"])).toBeUndefined();
    expect(whyNotYet(fleet({}), "chat", [])).toBeUndefined();
  });

  it.each([
    ["may still be returned from", { phase: "Watching" }, "whose own change is under way"],
    ["rolls", { phase: "Holding" }, "whose own change is under way"],
    ["rolls and is held", { phase: "Holding", heldFor: "HoldTime" }, "whose own change is under way"],
    ["has never served", { phase: "Pending" }, "whose own change is under way"],
    ["waits itself", { heldFor: "FleetLimit" }, "whose own change waits (FleetLimit)"],
    ["was edited a moment ago", { current: false }, "whose spec has just changed"],
    ["was never looked at", { phase: undefined }, "whose spec has just changed"],
    ["was rolled back", { phase: "Aborted", stalled: "it crashed" }, "which does not go on: it crashed"],
  ] as const)("waits for one that %s", (_, peer, why) => {
    const message = whyNotYet(fleet({ ok: {}, search: peer }), "chat", ["ok", "search"]);
    expect(message).toContain(`It starts after LLMBridge "search" (spec.rollout.after), ${why}`);
  });

  it("waits for one that is not there, and says what to do", () => {
    expect(whyNotYet(fleet({}), "chat", ["serach"])).toBe(
      'spec.rollout.after: there is no LLMBridge "serach" in this namespace that this operator runs; create it, or remove the name.',
    );
  });

  it("does not wait in a circle, but for all outside of it", () => {
    const round = {
      a: { after: ["b"], phase: "Holding" },
      b: { after: ["chat"], phase: "Holding" },
    } as const;
    expect(whyNotYet(fleet(round), "chat", ["a"])).toBeUndefined();
    expect(whyNotYet(fleet({ ...round, c: { phase: "Holding" } }), "chat", ["a", "c"])).toContain('"c"');
  });
});

describe("circle", () => {
  it("names the way round", () => {
    const peers = fleet({ a: { after: ["x", "b"] }, b: { after: ["chat"] }, x: {} });
    expect(circle(peers, "chat", ["x", "a"])).toEqual(["chat", "a", "b", "chat"]);
  });

  it("is none where a chain only meets a circle of others", () => {
    const peers = fleet({ a: { after: ["b"] }, b: { after: ["a"] } });
    expect(circle(peers, "chat", ["a"])).toBeUndefined();
  });
});
