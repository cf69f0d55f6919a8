import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { VerdictStatus, VersionStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { clockText, spanText } from "./age.ts";
import type { Colour } from "./colour.ts";
import { imageVersion } from "./version.ts";

interface View {
  readonly bridge: BridgeView;
  readonly nowMs: number;
  readonly colour: Colour;
}

/** Everything about one bridge that fits on a screen: versions, evidence, steps, budgets, alerts, the last decision. */
export function detailsText(bridge: BridgeView, nowMs: number, colour: Colour): string {
  const view = { bridge, nowMs, colour };
  const branches = [
    ...versions(view),
    ...steps(view),
    ...workload(view),
    ...budgets(view),
    ...alerts(view),
    ...lastDecision(view),
  ];
  const lines = [headline(view), ...tree(branches), ...complaints(view)];
  return `${lines.join("\n")}\n`;
}

interface Branch {
  readonly text: string;
  readonly below?: readonly string[];
}

function tree(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below = [] }, index) => {
    const last = index === branches.length - 1;
    const inner = below.map(
      (line, i) => `${last ? " " : "│"}  ${i === below.length - 1 ? "└─" : "├─"} ${line}`,
    );
    return [`${last ? "└─" : "├─"} ${text}`, ...inner];
  });
}

function headline({ bridge, colour }: View): string {
  const { metadata, status = {} } = bridge;
  const shown = ["Ready", "Accepted", "MetricsAvailable"].flatMap((type) => {
    const condition = status.conditions?.find((one) => one.type === type);
    if (condition === undefined) return [];
    const good = condition.status === "True";
    return [good ? colour.good(`${type} ✓`) : colour.bad(`${type} ✗ ${condition.reason}`)];
  });
  const what = status.summary ?? status.phase ?? "The operator has not looked at this bridge yet.";
  return [colour.strong(metadata.name), metadata.namespace ?? "", what, ...shown].join("  ");
}

function versions(view: View): Branch[] {
  const { stable, canary, verdicts = [] } = view.bridge.status ?? {};
  return [
    ...(stable ? [{ text: versionLine("stable", stable, view) }] : []),
    ...(canary
      ? [{ text: versionLine("canary", canary, view), below: verdicts.map((one) => verdictLine(one, view)) }]
      : []),
  ];
}

function versionLine(track: string, version: VersionStatus, { colour }: View): string {
  const ready = `${version.ready}/${version.replicas} ready`;
  const parts = [
    `${track}  ${version.revision}`,
    `image ${imageVersion(version.image)}`,
    version.ready < version.replicas ? colour.warn(ready) : ready,
    `wanted ${version.desiredWeight}%`,
    ...(version.requestShare === undefined ? [] : [`served ${version.requestShare} of requests`]),
    ...(version.podShare === undefined ? [] : [colour.faint(`${version.podShare} of pods`)]),
  ];
  return parts.join("   ");
}

function verdictLine(verdict: VerdictStatus, { colour }: View): string {
  const { signal, category, estimate, interval, samples, message } = verdict;
  const bad = category === "ProvedWorse" || category === "Violated";
  const good = category === "ProvedBelow" || category === "Passed";
  const numbers = [
    estimate,
    interval,
    samples === undefined ? undefined : `n=${samples.toLocaleString("en")}`,
  ];
  return [
    signal.padEnd(10),
    ...numbers.filter((text) => text !== undefined),
    bad ? colour.bad(category) : good ? colour.good(category) : colour.warn(category),
    message,
  ].join("  ");
}

function steps({ bridge, nowMs, colour }: View): Branch[] {
  const present = bridge.status?.step;
  if (present === undefined) return [];
  const parts = bridge.spec.rollout.steps.map((step, index) => {
    const mark = index < present.index ? "✓" : index === present.index ? "●" : "○";
    const text = `${mark} ${step.name} ${step.weight}%`;
    if (index < present.index) return colour.faint(text);
    const approval = step.approval ? " (needs approval)" : "";
    return index === present.index
      ? `${text}${holdText(present.holdUntil, step.hold, nowMs)}${approval}`
      : text + approval;
  });
  return [{ text: `steps   ${parts.join("   ")}` }];
}

function holdText(until: string | undefined, hold: string, nowMs: number): string {
  if (until === undefined) return "";
  const wholeMs = durationMs(hold);
  const leftMs = Math.max(0, Date.parse(until) - nowMs);
  const done = wholeMs === 0 ? 10 : Math.round(10 * Math.min(1, 1 - leftMs / wholeMs));
  return ` ${"▓".repeat(done)}${"░".repeat(10 - done)} ${spanText(wholeMs - leftMs)} of ${hold}`;
}

function workload({ bridge }: View): Branch[] {
  const { workers, scaling, tuning } = bridge.status ?? {};
  return [
    ...(scaling ? [{ text: `scale   ${scaling.message ?? `${scaling.recommended} pods recommended`}` }] : []),
    ...(workers
      ? [
          {
            text: `workers ${workers.current} of at most ${workers.cap} in each pod: ${workers.reason}`,
          },
        ]
      : []),
    ...(tuning ? [{ text: `node    heap ${tuning.heapMiB} MiB   ${tuning.nodeOptions}` }] : []),
  ];
}

function budgets({ bridge, colour }: View): Branch[] {
  const all = bridge.status?.budgets ?? [];
  if (all.length === 0) return [];
  const parts = all.map(({ pool, planned, allowed }) => {
    const text = `${pool} ${planned} of ${allowed} connections planned`;
    return planned > allowed ? colour.bad(text) : text;
  });
  return [{ text: `backend ${parts.join("   ")}` }];
}

function alerts({ bridge, colour }: View): Branch[] {
  return (bridge.status?.alerts ?? [])
    .filter(({ state }) => state === "Firing" || state === "Pending")
    .map(({ name, state, message, recommendation }) => ({
      text: `alert   ${name} ${state === "Firing" ? colour.bad(state) : colour.warn(state)}: ${message}${recommendation ? ` ${recommendation}` : ""}`,
    }));
}

function lastDecision({ bridge, nowMs }: View): Branch[] {
  const last = bridge.status?.decisions?.[0];
  if (last === undefined) return [];
  const refused = last.refused?.length ? ` (refused: ${last.refused.join("; ")})` : "";
  return [{ text: `last    ${clockText(last.time, nowMs)} ${last.action}: ${last.message}${refused}` }];
}

/** Conditions that ask for something, in full. */
function complaints({ bridge, colour }: View): string[] {
  const bad = (bridge.status?.conditions ?? []).filter(({ type, status }) =>
    type === "Stalled"
      ? status === "True"
      : ["Ready", "Accepted", "MetricsAvailable"].includes(type) && status === "False",
  );
  return bad.map(({ type, status, reason, message }) =>
    colour.bad(`${type}=${status}  ${reason}: ${message}`),
  );
}
