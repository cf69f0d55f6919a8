import { VERSION } from "../../version.ts";
import type { Family } from "../family.ts";
import { clockText } from "./age.ts";
import { gateLines } from "./gates.ts";
import { stepsText } from "./steps.ts";
import { type Branch, treeLines } from "./tree.ts";
import { earliestText, verdictLines } from "./verdicts.ts";
import { olderBranches, versionBranch } from "./version-branch.ts";
import type { View } from "./view.ts";
import { wrapped } from "./wrap.ts";

/** One bridge from its versions down to their pods, with evidence, steps, budgets, alerts and the last decision. */
export function bridgeTree(family: Family, view: View): string {
  const branches = [
    ...versions(family, view),
    ...takenFrom(family),
    ...plan(family, view),
    ...workload(family),
    ...budgets(family, view),
    ...alerts(family, view),
    ...lastDecision(family, view),
  ];
  const lines = [...head(family, view), ...treeLines(branches, view.columns), ...complaints(family, view)];
  return `${lines.join("\n")}\n`;
}

const CONDITIONS = ["Ready", "Accepted", "MetricsAvailable"];

/** What it is and how it does; then what it does now, in the operator's words. */
function head({ bridge }: Family, { colour, columns }: View): readonly string[] {
  const { metadata, status, spec } = bridge;
  const shown = CONDITIONS.flatMap((type) => {
    const condition = status.conditions?.find((one) => one.type === type);
    if (condition === undefined) return [];
    return condition.status === "True"
      ? [colour.good(`${type} ✓`)]
      : [colour.bad(`${type} ✗ ${condition.reason}`)];
  });
  const phase = `${status.phase ?? "not seen yet"}${spec.rollout.paused ? " (paused)" : ""}`;
  const first = [`${colour.strong(metadata.name)}  ${metadata.namespace ?? ""}`, phase, ...shown].join("   ");
  const summary = bridge.seen
    ? (status.summary ?? "")
    : "The operator has not looked at this bridge yet; is it running?";
  return [...wrapped(first, columns), ...(summary === "" ? [] : wrapped(summary, columns))];
}

function versions(family: Family, view: View): readonly Branch[] {
  const { stable, canary, baseline, previous } = family.bridge.status;
  const known = [stable, canary, baseline, previous].flatMap((version) => version?.revision ?? []);
  const watched = previous ? evidence(family, view) : [];
  return [
    ...(stable ? [versionBranch("stable", stable, family, view, watched)] : []),
    ...(previous ? [versionBranch("before", previous, family, view)] : []),
    ...(baseline ? [versionBranch("baseline", baseline, family, view)] : []),
    ...(canary ? [versionBranch("canary", canary, family, view, evidence(family, view))] : []),
    ...olderBranches(family, known, view),
  ];
}

/** The Deployment that serves, or served, before there was a bridge. */
function takenFrom({ bridge }: Family): readonly Branch[] {
  const said = bridge.status.conditions?.find(({ type }) => type === "TakenOver");
  return said === undefined ? [] : [{ text: `taken   ${said.message}` }];
}

function evidence({ bridge }: Family, view: View): readonly Branch[] {
  const earliest = earliestText(bridge, view.nowMs);
  const below = [...verdictLines(bridge, view), ...(earliest === undefined ? [] : [`earliest: ${earliest}`])];
  const heading = bridge.status.baseline ? "evidence beside the baseline" : "evidence";
  return below.length === 0 ? [] : [{ text: heading, below: below.map((text) => ({ text })) }];
}

function plan({ bridge }: Family, view: View): readonly Branch[] {
  const { step, forecast } = bridge.status;
  const expected = step === undefined && forecast !== undefined ? [{ text: forecast.message }] : [];
  const gates = gateLines(bridge, view).map((line) => ({ text: `gate ${line}` }));
  return [{ text: `steps   ${stepsText(bridge, view)}`, below: [...gates, ...expected] }];
}

function workload({ bridge }: Family): readonly Branch[] {
  const { workers, scaling, tuning } = bridge.status;
  return [
    ...(scaling ? [{ text: `scale   ${scaling.message}` }] : []),
    ...(workers
      ? [{ text: `workers ${workers.current} of at most ${workers.cap} in each pod: ${workers.reason}` }]
      : []),
    ...(tuning ? [{ text: `node    heap ${tuning.heapMiB} MiB   ${tuning.nodeOptions}` }] : []),
  ];
}

function budgets({ bridge }: Family, { colour }: View): readonly Branch[] {
  const all = bridge.status.budgets ?? [];
  if (all.length === 0) return [];
  const parts = all.map(({ pool, planned, allowed }) => {
    const text = `${pool} ${planned} of ${allowed} connections planned`;
    return planned > allowed ? colour.bad(text) : text;
  });
  return [{ text: `backend ${parts.join("   ")}` }];
}

function alerts({ bridge }: Family, { colour }: View): readonly Branch[] {
  return (bridge.status.alerts ?? [])
    .filter(({ state }) => state === "Firing" || state === "Pending")
    .map(({ name, state, message, recommendation }) => ({
      text: `alert   ${name} ${state === "Firing" ? colour.bad(state) : colour.warn(state)}: ${message}${recommendation ? ` ${recommendation}` : ""}`,
    }));
}

function lastDecision({ bridge }: Family, { nowMs }: View): readonly Branch[] {
  const last = bridge.status.decisions?.[0];
  if (last === undefined) return [];
  const refused = last.refused.length > 0 ? ` (refused: ${last.refused.join("; ")})` : "";
  return [{ text: `last    ${clockText(last.time, nowMs)} ${last.action}: ${last.message}${refused}` }];
}

/** Conditions that ask for something, in full, and what could not be read. */
function complaints({ bridge, trouble }: Family, { colour, columns }: View): readonly string[] {
  const bad = (bridge.status.conditions ?? []).filter(({ type, status }) =>
    type === "Stalled" ? status === "True" : CONDITIONS.includes(type) && status === "False",
  );
  return [
    ...bad.map(({ type, status, reason, message }) => colour.bad(`${type}=${status}  ${reason}: ${message}`)),
    ...trouble.map((sentence) => colour.warn(`not shown: ${sentence}`)),
    ...(bridge.unread.length === 0 ? [] : [colour.warn(unreadText(bridge.unread))]),
  ].flatMap((text) => wrapped(text, columns));
}

/** What a newer operator has written, or a hand. */
export function unreadText(unread: readonly string[]): string {
  return `This plugin (${VERSION}) cannot read all of ${unread.join(", ")}; was it written by a newer operator? Then a newer plugin shows it.`;
}
