import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { clockText } from "./age.ts";
import type { Colour } from "./colour.ts";
import { whatItWaitsFor } from "./waiting.ts";

/** One paragraph for each automatic decision, newest first, and the answer to the question that people have. */
export function explainText(bridge: BridgeView, nowMs: number, colour: Colour): string {
  const decisions = bridge.status.decisions ?? [];
  const paragraphs =
    decisions.length === 0
      ? ["The operator has decided nothing about this bridge lately."]
      : decisions.map((decision) => paragraphOf(decision, nowMs, colour));
  const { question, answer } = whatItWaitsFor(bridge, nowMs);
  return `${[...paragraphs, `${colour.strong(question)} ${answer}`].join("\n\n")}\n`;
}

function paragraphOf(
  { time, action, reason, message, refused = [] }: DecisionStatus,
  nowMs: number,
  colour: Colour,
): string {
  const lines = [`${clockText(time, nowMs)}  ${colour.strong(action)} (${reason}): ${message}`];
  return [...lines, ...refused.map((alternative) => `          considered and refused: ${alternative}`)].join(
    "\n",
  );
}
