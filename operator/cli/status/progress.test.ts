import { describe, expect, it } from "vitest";
import type { BridgeView } from "../bridge-view.ts";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { progressOf, type Told, toldAfter } from "./progress.ts";

const decision = (action: string, message: string, time = "2026-11-21T15:00:00Z") => ({
  ...{ time, action, reason: "r", message, refused: [] },
});
const past = [decision("Start", "Canary d04be8 starts.")];

function at(status: object, generation = 7): BridgeView {
  const bridge = sampleBridge({
    status: { observedGeneration: 7, revision: "d04be8", summary: "Holding", decisions: past, ...status },
  });
  return { ...bridge, metadata: { ...bridge.metadata, generation } };
}
const told = (...states: BridgeView[]) =>
  states.reduce<Told | undefined>((before, bridge) => toldAfter(bridge, before), undefined);
/** What is said of a state after others. */
const said = (bridge: BridgeView, ...before: BridgeView[]) =>
  progressOf(bridge, told(...before)).map(({ what }) => what);

describe("progressOf", () => {
  it("begins with what is asked for and where it is, and not with the past", () => {
    expect(said(at({}))).toEqual(["Generation 7 asks for revision d04be8 (1.5.0).", "Holding."]);
  });

  it("says nothing where nothing changed that matters", () => {
    expect(said(at({ decisions: [decision("ScaleUp", "Replicas 9 to 10."), ...past] }), at({}))).toEqual([]);
  });

  it("tells every decision of the rollout since, oldest first, and when each was", () => {
    const decisions = [
      decision("Step", "Step tenth is passed.", "2026-11-21T15:02:00Z"),
      decision("Step", "Canary d04be8 is ready", "2026-11-21T15:01:00Z"),
      ...past,
    ];
    expect(progressOf(at({ decisions, summary: "Moving." }), told(at({})))).toEqual([
      { at: "2026-11-21T15:01:00Z", what: "Canary d04be8 is ready." },
      { at: "2026-11-21T15:02:00Z", what: "Step tenth is passed." },
      { what: "Moving." },
    ]);
  });

  it("says that another revision is asked for, once the operator has seen the edit", () => {
    const edited = at({ summary: "Old." }, 8);
    expect(said(edited, at({}))).toEqual([]);
    const seen = at({ observedGeneration: 8, revision: "5ea5on", summary: "Preparing." }, 8);
    expect(said(seen, at({}), edited)).toEqual([
      "Generation 8 asks for revision 5ea5on (1.5.0) now; that is followed.",
      "Preparing.",
    ]);
  });

  it("begins with the edit that the operator has yet to see, which is no other one then", () => {
    const edited = at({ summary: "Old." }, 8);
    expect(said(edited)).toEqual([]);
    const seen = at({ observedGeneration: 8, revision: "5ea5on", summary: "Preparing." }, 8);
    expect(said(seen, edited)).toEqual(["Generation 8 asks for revision 5ea5on (1.5.0).", "Preparing."]);
  });

  it("is quiet about an edit that asks for the same revision, such as of replicas", () => {
    expect(said(at({ observedGeneration: 8 }, 8), at({}), at({}, 8))).toEqual([]);
    expect(said(at({ observedGeneration: 8 }, 8), at({}))).toEqual([]);
  });

  it("does not repeat what is asked for after a spec that was refused", () => {
    const refused = at({ revision: undefined, summary: "Refused." });
    expect(said(at({ summary: "Refused." }), refused)).toEqual([
      "Generation 7 asks for revision d04be8 (1.5.0).",
    ]);
    expect(said(at({ summary: "Refused." }), at({}), refused)).toEqual([]);
  });

  it("names the bridge in commands", () => {
    const summary = "It is paused; `kubectl llmbridge resume` lets it go on";
    expect(said(at({ summary }), at({}))).toEqual([
      "It is paused; `kubectl llmbridge resume chat` lets it go on.",
    ]);
  });
});
