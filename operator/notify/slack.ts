import type { VerdictStatus } from "../api/v1alpha1/status.ts";
import type { DecisionEvent } from "./decision-event.ts";

/** The body of an incoming webhook as Slack takes it, and Mattermost, Rocket.Chat and Discord's /slack do: text and one attachment. */
export function slackMessage({ bridge, severity, decision, status }: DecisionEvent): string {
  const where = `${bridge.namespace}/${bridge.name}`;
  const title = `${where}: ${decision.action} (${decision.reason})`;
  const lines = [decision.message, ...decision.refused.map((one) => `Not done: ${one}`)];
  return JSON.stringify({
    text: escaped(title),
    attachments: [
      {
        color: severity === "Warning" ? "danger" : decision.action === "Promote" ? "good" : "#439fe0",
        fallback: escaped(`${title}: ${decision.message}`),
        text: escaped(lines.join("\n")),
        fields: fields(status),
        ts: Math.floor(Date.parse(decision.time) / 1000),
      },
    ],
  });
}

function fields({ stable, canary, step, verdicts }: DecisionEvent["status"]) {
  const version = (one: typeof stable) =>
    one && `${one.revision} (${one.ready} of ${one.replicas} pods ready)`;
  const known: [string, string | undefined][] = [
    ["Stable", version(stable)],
    ["Canary", version(canary)],
    ["Step", step && `${step.name}, ${step.weight}% (${step.index + 1} of ${step.count})`],
    ...verdicts.map((one): [string, string] => [one.signal, verdictText(one)]),
  ];
  return known.flatMap(([title, value]) =>
    value === undefined ? [] : [{ title: escaped(title), value: escaped(value), short: true }],
  );
}

function verdictText({ category, estimate, interval, samples }: VerdictStatus): string {
  const numbers = [estimate, interval, samples === undefined ? undefined : `n=${samples}`];
  return [category, ...numbers.filter((one) => one !== undefined)].join(" ");
}

/** What Slack asks of text, so that nothing in it becomes a link or calls a channel. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
