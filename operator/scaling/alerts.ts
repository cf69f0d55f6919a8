import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { Alert } from "../api/v1alpha1/scaling.ts";
import type { AlertStatus } from "../api/v1alpha1/status.ts";
import { advice } from "./alert-advice.ts";
import { formatValue, type MetricValue, metricValue, threshold } from "./alert-metrics.ts";
import { type AlertTimer, advanceTimer, newTimer } from "./alert-timer.ts";
import type { PodReading } from "./reading.ts";

/** Timers by the name of the alert. */
export type AlertsState = Readonly<Record<string, AlertTimer>>;

/** What a firing alert asks for. */
export interface AlertAction {
  alert: string;
  action: Alert["action"];
  /** False while the alert fires but must not act: its cooldown runs, or it has notified already. */
  due: boolean;
  message: string;
}

export interface AlertsInput {
  alerts: readonly Alert[];
  /** Every pod of the bridge, both versions. */
  readings: readonly PodReading[];
  /** Revision of the canary while a rollout runs: alerts that roll back look at it alone. */
  canaryRevision: string | undefined;
  /** Limit of the pods of a revision: after an edit the versions differ in it. */
  memoryLimitBytes: (revision: string) => number;
  nowMs: number;
  state: AlertsState;
}

export interface AlertsResult {
  statuses: AlertStatus[];
  /** Of every firing alert, in the order of the spec. What is carried out is to be noted with `alertsActed`. */
  actions: AlertAction[];
  state: AlertsState;
}

/**
 * Judges every alert: Inactive, Pending until its condition has held for `for`, Firing, or Unknown while too few pods answer.
 * Unknown never acts, and its time neither counts towards `for` nor, if short, starts it anew. An alert that holds is Firing until it is seen not to:
 * missing data release nothing.
 */
export function evaluateAlerts(input: AlertsInput): AlertsResult {
  const results = input.alerts.map((alert) => evaluate(alert, input));
  return {
    statuses: results.map(({ status }) => status),
    actions: results.flatMap(({ action }) => (action ? [action] : [])),
    state: Object.fromEntries(results.map(({ status, timer }) => [status.name, timer])),
  };
}

/** Notes alerts whose ScaleUp, ScaleDown or Rollback was carried out: their cooldown starts. */
export function alertsActed(state: AlertsState, names: readonly string[], nowMs: number): AlertsState {
  return Object.fromEntries(
    Object.entries(state).map(([name, timer]) => [
      name,
      names.includes(name) ? { ...timer, lastActedMs: nowMs } : timer,
    ]),
  );
}

/** Timers as status remembers them, for a new leader: cooldowns go on, and a firing alert does not notify twice. */
export function resumeAlerts(alerts: readonly Alert[], statuses: readonly AlertStatus[]): AlertsState {
  return Object.fromEntries(
    alerts.flatMap((alert) => {
      const status = statuses.find(({ name }) => name === alert.name);
      if (!status) return [];
      const firing = status.state === "Firing" && status.since !== undefined;
      const fresh = newTimer(
        conditionOf(alert),
        status.lastActed === undefined ? undefined : Date.parse(status.lastActed),
      );
      const timer = firing
        ? { ...fresh, heldMs: durationMs(alert.for), firingSinceMs: Date.parse(status.since ?? "") }
        : fresh;
      return [[alert.name, timer]];
    }),
  );
}

function conditionOf({ metric, above, below, for: forText }: Alert): string {
  return [metric, above ?? "-", below ?? "-", forText].join(" ");
}

function evaluate(
  alert: Alert,
  input: AlertsInput,
): { status: AlertStatus; timer: AlertTimer; action: AlertAction | undefined } {
  const condition = conditionOf(alert);
  const before = input.state[alert.name];
  const timer = before?.condition === condition ? before : newTimer(condition, before?.lastActedMs);
  const judged = judge(alert, input);
  // Where no pod is ready there is nobody to hold for, and the change that waits may be the cure.
  const isServing = input.readings.some(({ ready }) => ready);
  const mayHoldOn = alert.action === "Hold" && timer.firingSinceMs !== undefined && isServing;
  const holdsOn = mayHoldOn && judged.kind === "Unknown";
  const reading = holdsOn ? { ...judged, text: `${unknown(alert)}; ${HOLDS_ON}` } : judged;
  const next = holdsOn
    ? { ...timer, last: judged.kind }
    : advanceTimer(timer, judged.kind, durationMs(alert.for), input.nowMs);
  const state = holdsOn ? "Firing" : stateOf(reading, next);
  const action = state === "Firing" ? actionOf(alert, timer, next, reading.text, input) : undefined;
  const acted = action?.due && alert.action === "Notify" ? { ...next, lastActedMs: input.nowMs } : next;
  return { status: statusOf(alert, state, reading, acted), timer: acted, action };
}

function stateOf(reading: Judgement, timer: AlertTimer): AlertStatus["state"] {
  if (reading.kind === "Unknown") return "Unknown";
  if (reading.kind === "Met") return "Inactive";
  return timer.firingSinceMs === undefined ? "Pending" : "Firing";
}

type Judgement =
  | { kind: "Violated"; side: "above" | "below"; text: string; value: string }
  | { kind: "Met"; text: string; value: string | undefined }
  | { kind: "Unknown"; text: string };

function judge(alert: Alert, input: AlertsInput): Judgement {
  const { metric, above, below } = alert;
  const pods =
    alert.action === "Rollback" && input.canaryRevision !== undefined
      ? input.readings.filter(({ revision }) => revision === input.canaryRevision)
      : input.readings;
  const high = metricValue(metric, pods, "Highest", input);
  const low = metricValue(metric, pods, "Lowest", input);
  if (above !== undefined && high.kind === "Value" && high.value > threshold(metric, above))
    return {
      kind: "Violated",
      side: "above",
      text: `${said(alert, high)}, above ${above}`,
      value: formatValue(metric, high.value),
    };
  if (below !== undefined && low.kind === "Value" && low.value < threshold(metric, below))
    return {
      kind: "Violated",
      side: "below",
      text: `${said(alert, low)}, below ${below}`,
      value: formatValue(metric, low.value),
    };
  const shown = above === undefined ? low : high;
  if (shown.kind === "Quiet")
    return { kind: "Met", text: `${metric}: nothing happened to measure`, value: undefined };
  if (shown.kind === "Unknown" || !shown.complete)
    return {
      kind: "Unknown",
      text: `${unknown(alert)}; the alert does not act`,
    };
  return { kind: "Met", text: said(alert, shown), value: formatValue(metric, shown.value) };
}

const unknown = ({ metric }: Alert): string =>
  `${metric} is unknown, because too few ready pods have a fresh reading`;
const HOLDS_ON = "the alert holds until it is known, or is taken out of spec.alerts";

function said({ metric }: Alert, value: Extract<MetricValue, { kind: "Value" }>): string {
  return `${metric} is ${formatValue(metric, value.value)}${value.pod === undefined ? "" : ` in pod ${value.pod}`}`;
}

function actionOf(
  alert: Alert,
  before: AlertTimer,
  now: AlertTimer,
  message: string,
  { nowMs, canaryRevision }: AlertsInput,
): AlertAction {
  const rested = now.lastActedMs === undefined || nowMs - now.lastActedMs >= durationMs(alert.cooldown);
  const due = {
    Notify: before.firingSinceMs === undefined,
    Hold: true,
    Rollback: rested && canaryRevision !== undefined,
    ScaleUp: rested,
    ScaleDown: rested,
  }[alert.action];
  return { alert: alert.name, action: alert.action, due, message };
}

function statusOf(
  alert: Alert,
  state: AlertStatus["state"],
  reading: Judgement,
  timer: AlertTimer,
): AlertStatus {
  const sinceMs =
    state === "Firing" ? timer.firingSinceMs : state === "Pending" ? timer.violatedSinceMs : undefined;
  const wait =
    state === "Pending"
      ? `; fires after ${alert.for}`
      : state === "Firing" && reading.kind !== "Unknown"
        ? ` for ${alert.for}`
        : "";
  return {
    name: alert.name,
    state,
    severity: alert.severity,
    action: alert.action,
    message: `${reading.text}${wait}.`,
    ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
    ...(timer.lastActedMs === undefined ? {} : { lastActed: new Date(timer.lastActedMs).toISOString() }),
    ...(reading.kind === "Unknown" || reading.value === undefined ? {} : { value: reading.value }),
    ...(reading.kind === "Violated" ? { recommendation: advice(alert.metric, reading.side) } : {}),
  };
}
