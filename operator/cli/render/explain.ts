import type { BridgeView } from "../bridge-view.ts";
import { explanation } from "../explain/explanation.ts";
import { clockText, spanText } from "./age.ts";
import { unreadText } from "./bridge-tree.ts";
import { gateLines } from "./gates.ts";
import { verdictLines } from "./verdicts.ts";
import type { View } from "./view.ts";
import { padVisible, wrapped } from "./wrap.ts";

type Explanation = ReturnType<typeof explanation>;

/**
 * The decisions with what they rest on, newest first; what is wrong; the question that people have, with its answer; what happens next,
 * and what a person could do. `where`: see possibleActions.
 */
export function explainText(bridge: BridgeView, view: View, where = ""): string {
  const facts = explanation(bridge, view.nowMs, where);
  const { strong } = view.colour;
  const verdicts = verdictLines(bridge, view);
  const gates = gateLines(bridge, view);
  const sections = [
    decisions(facts, view),
    ...(verdicts.length === 0 ? [] : [section("Evidence", verdicts, view)]),
    ...(gates.length === 0 ? [] : [section("Gates outside", gates, view)]),
    ...(facts.problems.length === 0 ? [] : [section("Not as it should be", problems(facts, view), view)]),
    ...(facts.secrets.length === 0 ? [] : [section("Secrets", secrets(facts, view), view)]),
    wrapped(`${strong(facts.question)} ${facts.answer}`, view.columns),
    ...(facts.next.length === 0 ? [] : [section("What comes next", coming(facts, view), view)]),
    section("What you can do", actions(facts, view), view),
    ...(facts.queries.length === 0 ? [] : [section("What the metric source is asked", queries(facts), view)]),
    ...(bridge.unread.length === 0
      ? []
      : [wrapped(view.colour.warn(unreadText(bridge.unread)), view.columns)]),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[], { colour, columns }: View): readonly string[] {
  return [colour.strong(title), ...lines.flatMap((line) => hanging(line, 2, 6, columns))];
}

/** A line indented by `first` columns, and by `later` where it goes on. */
function hanging(text: string, first: number, later: number, columns: number): readonly string[] {
  return wrapped(text, columns - first, columns - later).map(
    (line, index) => " ".repeat(index === 0 ? first : later) + line,
  );
}

function decisions(facts: Explanation, { nowMs, colour, columns }: View): readonly string[] {
  if (facts.decisions.length === 0) return ["The operator has decided nothing about this bridge lately."];
  return facts.decisions.flatMap((decision, index) => {
    const { time, action, reason, message } = decision;
    const refused = (decision.refused ?? []) as readonly string[];
    const lines = [`${clockText(time, nowMs)}  ${colour.strong(action)} (${reason}): ${message}`];
    return [
      ...(index === 0 ? [] : [""]),
      ...lines.flatMap((line) => hanging(line, 0, 10, columns)),
      ...refused.flatMap((other) => hanging(`considered and refused: ${other}`, 10, 12, columns)),
    ];
  });
}

function problems(facts: Explanation, { nowMs, colour }: View): readonly string[] {
  return facts.problems.map(
    ({ type, reason, message, since }) =>
      `${colour.bad(type)}  ${reason} since ${clockText(since, nowMs)}: ${message}`,
  );
}

function secrets(facts: Explanation, { nowMs, colour }: View): readonly string[] {
  return facts.secrets.map(({ state, changedAt, message }) => {
    const text = state === "Overdue" || state === "Refused" ? colour.bad(message) : message;
    return changedAt === undefined ? text : `${clockText(changedAt, nowMs)}  ${text}`;
  });
}

function coming(facts: Explanation, { nowMs }: View): readonly string[] {
  return facts.next.map(({ at, what }) => {
    if (at === undefined) return what;
    const leftMs = Date.parse(at) - nowMs;
    return leftMs > 0 ? `${clockText(at, nowMs)} (in ${spanText(leftMs)}): ${what}` : what;
  });
}

function queries({ queries: asked }: Explanation): readonly string[] {
  return asked.map(({ about, query }) => `${about}: ${query}`);
}

function actions(facts: Explanation, { colour }: View): readonly string[] {
  const widest = Math.max(...facts.actions.map(({ command }) => command.length));
  return facts.actions.map(({ command, does }) => `${padVisible(command, widest)}   ${colour.faint(does)}`);
}
