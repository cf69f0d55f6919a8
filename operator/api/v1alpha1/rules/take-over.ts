import type { LLMBridgeSpec } from "../spec.ts";
import { type Rule, rule } from "./rule.ts";

const LATE =
  "takeOver is set when the bridge is made; a bridge that runs has its own versions, and what is being taken over cannot be changed. Put it back as it was, or make another bridge.";

const old = { deployment: "old", services: ["old"] };

/** When a Deployment may be named to take over from. */
export const TAKE_OVER_RULES: readonly Rule[] = [
  rule<LLMBridgeSpec>({
    id: "take-over-from-the-beginning",
    path: "spec",
    validation: {
      rule: "!has(self.takeOver) || (has(oldSelf.takeOver) && self.takeOver == oldSelf.takeOver)",
      message: LATE,
      fieldPath: ".takeOver",
      reason: "FieldValueForbidden",
    },
    check: ({ takeOver }, { before }) =>
      before === undefined ||
      takeOver === undefined ||
      JSON.stringify(takeOver) === JSON.stringify(before.takeOver)
        ? undefined
        : LATE,
    accepted: { before: { takeOver: old }, spec: { takeOver: old } },
    refused: { before: {}, spec: { takeOver: old } },
    expect: "takeOver is set when the bridge is made",
  }),
];
