import { describe, expect, it } from "vitest";
import { rollout } from "../../api/v1alpha1/rollout.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { outdated, startEvidence } from "../../evidence/state.ts";
import { parseAdministratorSettings } from "../../settings/file.ts";
import { decide } from "../decide.ts";
import { World } from "../testing/world.ts";
import { analysisInForce, withAnalysis } from "./analysis.ts";

const settings = (text: string) => parseAdministratorSettings(text);
const strict = settings("analyses: [{name: strict, falseRollback: 0.5%}]\ndefaultAnalysis: strict");
const own = (analysis: object) => rollout.parse({ analysis }).analysis;
const inForce = (analysis: object, known = strict) => {
  const found = analysisInForce(own(analysis), known);
  return found.ok ? { from: found.value.from, falseRollback: found.value.falseRollback } : found.message;
};

describe("the analysis in force", () => {
  it.each([
    ["that a bridge names", { from: "strict" }, { from: "strict", falseRollback: "0.5%" }],
    ["of the administrator, for a bridge that says nothing", {}, { from: "strict", falseRollback: "0.5%" }],
    ["of the bridge, if it says anything", { interval: "30s" }, { from: undefined, falseRollback: "1%" }],
    ["that is built in, if it asks for it", { from: "built-in" }, { from: "built-in", falseRollback: "1%" }],
  ])("is the one %s", (_, analysis, expected) => {
    expect(inForce(analysis)).toEqual(expected);
  });

  it("is the bridge's own where the administrator has no default", () => {
    expect(inForce({}, settings(""))).toEqual({ from: undefined, falseRollback: "1%" });
  });

  it("is not known by a name that is not there, and then nothing moves", () => {
    const message =
      'spec.rollout.analysis.from: there is no analysis named "lax" in the operator\'s settings, but built-in, strict; take one of these, or ask the administrator for it.';
    expect(inForce({ from: "lax" })).toBe(message);
    const { plan } = decide({ ...snapshot({ from: "lax" }), analysisProblem: message });
    expect(plan.status.conditions.find(({ type }) => type === "Accepted")).toMatchObject({
      status: "False",
      reason: "UnknownAnalysis",
      message,
    });
  });

  it("stands in status with its values", () => {
    const { plan } = decide(snapshot({ from: "strict" }));
    expect(plan.status.analysis?.from).toBe("strict");
    expect(JSON.parse(plan.status.analysis?.values ?? "")).toMatchObject({ falseRollback: "0.5%" });
    expect(decide(snapshot({ interval: "30s" })).plan.status.analysis).toBeUndefined();
  });

  it("begins evidence anew when the administrator changes it, the probabilities too", () => {
    const lax = settings("analyses: [{name: strict, falseRollback: 40%}]");
    const [before, after] = [strict, lax].map((known) => {
      const found = analysisInForce(own({ from: "strict" }), known);
      if (!found.ok) throw new Error(found.message);
      return evidenceConfig(found.value);
    });
    if (!before || !after) throw new Error("both are known");
    expect(outdated(startEvidence(before, {}, 0), after)).toBe(true);
    expect(outdated(startEvidence(before, {}, 0), before)).toBe(false);
  });
});

function snapshot(analysis: object) {
  const world = new World({
    image: "bridge:1",
    upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
    rollout: { analysis },
  });
  const seen = world.snapshot();
  if (!seen.spec.ok) throw new Error("the spec is valid");
  const found = analysisInForce(seen.spec.value.rollout.analysis, strict);
  return { ...seen, spec: { ...seen.spec, value: withAnalysis(seen.spec.value, found) } };
}
