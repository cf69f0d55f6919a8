import type { Registry } from "prom-client";
import { type LLMBridgeStatus, PHASES, type VersionStatus } from "../api/v1alpha1/status.ts";
import type { ObjectKey } from "../kube/object.ts";
import { ComputedGauge, type Series } from "./computed-gauge.ts";

/** What the gauges show of one bridge: small, since one is kept for each, and turned into series only when these are asked for. */
export interface Sample extends Pick<LLMBridgeStatus, "phase" | "lastRollout"> {
  readonly labels: { readonly namespace: string; readonly bridge: string };
  /** Unix time in seconds, as all times here. */
  readonly phaseSince: number | undefined;
  readonly waits: { readonly since: number; readonly reason: string } | undefined;
  /** 1 True, 0 False, -1 Unknown; by type. */
  readonly conditions: Readonly<Record<string, number>>;
  readonly versions: readonly (Pick<VersionStatus, "desiredWeight" | "replicas" | "ready"> & Tracked)[];
  readonly recommended: number | undefined;
  readonly alerts: readonly { readonly alert: string; readonly severity: string; readonly firing: number }[];
}

interface Tracked {
  readonly track: (typeof TRACKS)[number];
}

const TRACKS = ["stable", "canary", "baseline", "previous"] as const;
const CONDITION_VALUES = { True: 1, False: 0, Unknown: -1 };

export function sampleOf({ namespace, name }: ObjectKey, status: LLMBridgeStatus): Sample {
  const { phaseSince, timing, heldFor: reason = "" } = status.rollout ?? {};
  const since = timing?.waitsSince;
  return {
    labels: { namespace, bridge: name },
    phase: status.phase,
    phaseSince: phaseSince ? seconds(phaseSince) : undefined,
    waits: since ? { since: seconds(since), reason } : undefined,
    lastRollout: status.lastRollout,
    conditions: Object.fromEntries(status.conditions.map((one) => [one.type, CONDITION_VALUES[one.status]])),
    versions: TRACKS.flatMap((track) => {
      const version = status[track];
      if (!version) return [];
      const { desiredWeight, replicas, ready } = version;
      return { track, desiredWeight, replicas, ready };
    }),
    recommended: status.scaling?.recommended,
    alerts: status.alerts.map(({ name: alert, severity, state }) => {
      return { alert, severity, firing: state === "Firing" ? 1 : 0 };
    }),
  };
}

const seconds = (time: string): number => Date.parse(time) / 1000;

/** What a gauge shows of a bridge: a value with each set of labels that the bridge has there. */
type Values = readonly (readonly [value: number, labels?: Readonly<Record<string, string>>])[];

const some = (value: number | undefined): Values => (value === undefined ? [] : [[value]]);

/** Registers the gauges of all bridges, whose numbers are those of `samples` at each scrape. */
export function registerGauges(registry: Registry, samples: () => Iterable<Sample>): void {
  const gauge = (
    name: string,
    help: string,
    labels: readonly string[],
    values: (sample: Sample) => Values,
  ) => {
    const configuration = {
      ...{ name: `llmbridge_operator_${name}`, help, labelNames: ["namespace", "bridge", ...labels] },
      registers: [registry],
    };
    return new ComputedGauge(configuration, function* (): Generator<Series> {
      for (const sample of samples())
        for (const [value, more] of values(sample)) yield { value, labels: { ...sample.labels, ...more } };
    });
  };
  gauge("phase", "1 for the phase a bridge is in", ["phase"], (sample) =>
    PHASES.map((phase) => [phase === sample.phase ? 1 : 0, { phase }]),
  );
  gauge("condition", "1 True, 0 False, -1 Unknown", ["type"], ({ conditions }) =>
    Object.entries(conditions).map(([type, value]) => [value, { type }]),
  );
  gauge("phase_since_seconds", "Unix time at which the phase began", [], ({ phaseSince }) =>
    some(phaseSince),
  );
  gauge(
    "rollout_waits_since_seconds",
    "Unix time since which a rollout waits, by what for",
    ["reason"],
    ({ waits }) => (waits ? [[waits.since, { reason: waits.reason }]] : []),
  );
  gauge(
    "last_rollout_seconds",
    "Seconds of the rollout that ended last",
    ["outcome", "part"],
    ({ lastRollout }) => {
      if (!lastRollout) return [];
      const { outcome, progressSeconds, waitingSeconds } = lastRollout;
      return [
        [progressSeconds, { outcome, part: "progress" }],
        [waitingSeconds, { outcome, part: "waiting" }],
      ];
    },
  );
  const perVersion = (name: string, help: string, number: "desiredWeight" | "replicas" | "ready") =>
    gauge(name, help, ["track"], ({ versions }) =>
      versions.map(({ track, [number]: value }) => [value, { track }]),
    );
  perVersion("desired_weight_percent", "Weight wanted", "desiredWeight");
  perVersion("replicas", "Pods wanted", "replicas");
  perVersion("ready_replicas", "Pods ready", "ready");
  gauge("recommended_replicas", "Pods that demand asks for", [], ({ recommended }) => some(recommended));
  gauge("alert", "1 while an alert fires", ["alert", "severity"], ({ alerts }) =>
    alerts.map(({ firing, alert, severity }) => [firing, { alert, severity }]),
  );
}
