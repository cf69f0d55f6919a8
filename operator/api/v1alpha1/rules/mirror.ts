import type { Rollout, Step } from "../rollout.ts";
import { sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

const traffic = { router: "Gateway", route: { parentRefs: [{ name: "public" }] } };
const mirrored = { name: "mirrored", weight: 0, mirror: 10 };
const all = { name: "all", weight: 100 };
const withMirror = "self.steps.filter(s, has(s.mirror))[0]";

/** Copies of requests for a canary that serves nobody yet. */
export const MIRROR_RULES: readonly Rule[] = [
  rule<Step>({
    id: "mirror-without-weight",
    path: "spec.rollout.steps[]",
    validation: {
      rule: "!has(self.mirror) || self.weight == 0",
      message: "Only a step of weight 0 can mirror.",
      messageExpression: sentence`${"self.name"} has weight ${"self.weight"} and mirror ${"self.mirror"}; a canary that serves clients needs no copies of their requests. Remove mirror, or set the weight to 0.`,
      fieldPath: ".mirror",
    },
    check: ({ name, weight, mirror }) =>
      mirror === undefined || weight === 0
        ? undefined
        : `${name} has weight ${weight} and mirror ${mirror}; a canary that serves clients needs no copies of their requests. Remove mirror, or set the weight to 0.`,
    accepted: { spec: { rollout: { traffic, steps: [mirrored, all] } } },
    refused: { spec: { rollout: { traffic, steps: [{ ...mirrored, weight: 10 }, all] } } },
    expect: "mirrored has weight 10 and mirror 10",
  }),
  rule<Rollout>({
    id: "mirror-by-a-route",
    path: "spec.rollout",
    validation: {
      rule: "has(self.traffic.route) || self.steps.all(s, !has(s.mirror))",
      message: "Only a route that the operator makes can mirror.",
      messageExpression: sentence`steps: ${`${withMirror}.name`} has mirror ${`${withMirror}.mirror`}, which takes a route that the operator makes. Set traffic.router to Gateway and write traffic.route; in a route of yours write a RequestMirror filter yourself.`,
      fieldPath: ".steps",
    },
    check: ({ traffic: { route }, steps }) => {
      const step = steps.find(({ mirror }) => mirror !== undefined);
      return route !== undefined || step === undefined
        ? undefined
        : `steps: ${step.name} has mirror ${step.mirror}, which takes a route that the operator makes. Set traffic.router to Gateway and write traffic.route; in a route of yours write a RequestMirror filter yourself.`;
    },
    accepted: { spec: { rollout: { traffic, steps: [{ ...mirrored, mirror: 100 }, all] } } },
    refused: { spec: { rollout: { steps: [mirrored, all] } } },
    expect: "steps: mirrored has mirror 10, which takes a route that the operator makes",
  }),
];
