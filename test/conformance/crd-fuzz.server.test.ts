import fc from "fast-check";
import { expect, it } from "vitest";
import { RULES } from "../../operator/api/v1alpha1/rules/index.ts";
import type { SpecPatch } from "../../operator/api/v1alpha1/rules/rule.ts";
import { lintManifest } from "../../operator/api/v1alpha1/validate.ts";
import { patched, smallestBridge } from "./bridge-objects.ts";
import { bridgeServer } from "./bridge-server.ts";
import { WRONG_TEXTS } from "./wrong-texts.ts";

const running = bridgeServer();

const rulePatches = RULES.flatMap(({ accepted, refused }) => [accepted, refused])
  .filter(({ before, spec }) => before === undefined && spec !== undefined)
  .map(({ spec }) => spec as SpecPatch);

/** A bridge with several of the rules' cases in it at once, so that they meet each other. */
const bridges = (patches: readonly SpecPatch[]) =>
  fc.array(fc.constantFrom(...patches), { minLength: 2, maxLength: 6 }).map((chosen) => {
    const bridge = smallestBridge("fuzz");
    return {
      ...bridge,
      spec: chosen.reduce<Record<string, unknown>>((spec, patch) => patched(spec, patch), bridge.spec),
    };
  });

it("judges mixtures of cases as the API server does", async () => {
  const property = fc.asyncProperty(bridges(rulePatches), async (bridge) => {
    const refused = await running.api.create(bridge);
    const issues = lintManifest(bridge);
    const line = ({ field, message }: { field: string; message: string }) =>
      `${field} ${issues.find((issue) => issue.path === field && message.endsWith(`: ${issue.message}`))?.message ?? message}`;
    expect(refused.map(line).sort()).toEqual(issues.map(({ path, message }) => `${path} ${message}`).sort());
  });
  await fc.assert(property, { numRuns: 300 });
});

it("never stumbles over text of the wrong kind in a rule that computes with it", async () => {
  const wrong = WRONG_TEXTS.map(([, , spec]) => spec);
  const property = fc.asyncProperty(bridges([...wrong, ...wrong, ...rulePatches]), async (bridge) => {
    const said = (await running.api.create(bridge)).map(({ message }) => message).join("\n");
    expect(said).not.toMatch(/evaluat|no such|overload|conversion|rule compile/i);
  });
  await fc.assert(property, { numRuns: 300 });
});
