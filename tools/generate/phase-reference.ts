import { PHASES } from "../../operator/api/v1alpha1/status.ts";
import { TRANSITIONS } from "../../operator/rollout/phases.ts";
import { table } from "./markdown.ts";

/** The phases of a rollout as a diagram and a table, both from the one table that the program goes by. */
export function phaseReference(): string {
  const transitions = Object.entries(TRANSITIONS);
  return [
    ["```mermaid", "stateDiagram-v2", `  [*] --> ${PHASES[0]}`, ...edges(), "```"].join("\n"),
    table(
      ["Transition", "From", "To", "When"],
      transitions.map(([name, { from, to, when }]) => [name, from.join(", "), to, when]),
    ),
  ].join("\n\n");
}

/** One arrow for each pair of phases, with every transition that goes that way. */
function edges(): string[] {
  const names = new Map<string, string[]>();
  for (const [name, { from, to }] of Object.entries(TRANSITIONS))
    for (const phase of from) {
      const edge = `  ${phase} --> ${to}`;
      names.set(edge, [...(names.get(edge) ?? []), name]);
    }
  return [...names].map(([edge, all]) => `${edge}: ${all.join(", ")}`);
}
