import { refusedEnvReason } from "../../api/v1alpha1/env-names.ts";
import { nodeOptionsMessage } from "../../api/v1alpha1/rules/node-options.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { Reading } from "../../prometheus/source.ts";
import { circle } from "../../rollout/fleet/order.ts";
import { uncomparedGates } from "../../rollout/uncompared.ts";
import type { TuningResult } from "../../tuning/tune.ts";
import { countingMs } from "../observe/evidence.ts";
import { type ContentRef, configMapRefs } from "../references.ts";
import { secretRefs } from "../secret-references.ts";
import type { Snapshot } from "../snapshot.ts";
import type { TakeOverObjection, TakeOverReason } from "../take-over/objection.ts";
import type { Bounds } from "./bounds.ts";

export type AcceptanceReason =
  | "Valid"
  | "InvalidSpec"
  | "TuningRefused"
  | "BudgetExceeded"
  | "ConfigMapMissing"
  | "ConfigMapUnknown"
  | "SecretMissing"
  | "SecretForbidden"
  | "SecretUnknown"
  | "UnknownAnalysis"
  | "GateNotPermitted"
  | "UnknownMetricSource"
  | "MetricSourceNotAllowed"
  | "UnreachableWeight"
  | TakeOverReason;

export interface Acceptance {
  readonly accepted: boolean;
  readonly reason: AcceptanceReason;
  /** What is wrong, where, and what to write instead. */
  readonly message: string;
}

const refused = (reason: AcceptanceReason, message: string): Acceptance => ({
  accepted: false,
  reason,
  message,
});
const sentence = (issues: readonly { path: string; message: string }[]) =>
  issues.map(({ path, message }) => `${path}: ${message}`).join(" ");

type Policy = (
  snapshot: Snapshot,
  tuning: TuningResult | undefined,
  bounds: Bounds | undefined,
) => Acceptance | undefined;

/** Ordered: the first that objects is the answer. */
const POLICIES: readonly Policy[] = [
  (snapshot) => (snapshot.spec.ok ? undefined : refused("InvalidSpec", sentence(snapshot.spec.issues))),
  (_, tuning) =>
    tuning && tuning.issues.length > 0 ? refused("TuningRefused", sentence(tuning.issues)) : undefined,
  (_, __, bounds) =>
    bounds && bounds.issues.length > 0 ? refused("BudgetExceeded", sentence(bounds.issues)) : undefined,
  ({ analysisProblem }) =>
    analysisProblem === undefined ? undefined : refused("UnknownAnalysis", analysisProblem),
  ({ gates: { problem } }) => (problem === undefined ? undefined : refused("GateNotPermitted", problem)),
  (snapshot) => sourceProblem(snapshot.fleet),
  configMapProblem,
  secretProblem,
];

/** New pods could not start without it; those that run have what they read. */
function configMapProblem({ spec, configMaps }: Snapshot): Acceptance | undefined {
  if (!spec.ok) return undefined;
  return contentProblem("ConfigMap", configMapRefs(spec.value), (name) => {
    const reading = configMaps[name];
    if (reading?.kind !== "Found") return reading;
    const variables = Object.keys(reading.data);
    return { kind: "Found", keys: [...variables, ...Object.keys(reading.binaryData)], variables };
  });
}

/**
 * Of Secrets of which a change is to start a canary. Where one cannot be read the bridge does not go on as if it had not been asked: a change of the
 * Secret would reach all pods at once, which is what was to be avoided.
 */
function secretProblem({ spec, secrets }: Snapshot): Acceptance | undefined {
  if (!spec.ok) return undefined;
  const refs = secretRefs(spec.value).filter(({ onChange }) => onChange === "Canary");
  return contentProblem("Secret", refs, (name) => {
    const finding = secrets[name];
    return finding?.kind === "Found" ? { ...finding, variables: finding.keys } : finding;
  });
}

type Content =
  /** `variables`: the keys that an `envFrom` makes variables of. */
  | { readonly kind: "Found"; readonly keys: readonly string[]; readonly variables: readonly string[] }
  | { readonly kind: "Missing" }
  | { readonly kind: "Forbidden"; readonly message: string }
  | { readonly kind: "Unknown"; readonly message: string };

/** What of others a revision cannot be made with. */
function contentProblem(
  kind: "ConfigMap" | "Secret",
  refs: readonly ContentRef[],
  contentOf: (name: string) => Content | undefined,
): Acceptance | undefined {
  for (const { path, name, key, optional, prefix } of refs) {
    const content: Content = contentOf(name) ?? {
      kind: "Unknown",
      message: `${kind} "${name}" was not read.`,
    };
    if (content.kind === "Forbidden") return refused("SecretForbidden", `${path}: ${content.message}`);
    if (content.kind === "Unknown") return refused(`${kind}Unknown`, `${path}: ${content.message}`);
    // A key of a Secret cannot be optional.
    const orElse = kind === "ConfigMap" || key === undefined ? ", or set optional: true" : "";
    const missing = (what: string, remedy: string) =>
      refused(`${kind}Missing`, `${path}: ${what}; ${remedy}${orElse}.`);
    if (content.kind === "Missing") {
      if (optional) continue;
      return missing(`there is no ${kind} "${name}" in this namespace`, "create it");
    }
    if (key !== undefined && !content.keys.includes(key) && !optional)
      return missing(`${kind} "${name}" has no key "${key}"`, "add it");
    const variable = prefix === undefined ? undefined : refusedVariable(content.variables, prefix);
    if (variable) return refused("InvalidSpec", `${path}: ${variable}`);
  }
  return undefined;
}

/** What `env` may not set, a ConfigMap or a Secret may not either. */
function refusedVariable(keys: readonly string[], prefix = ""): string | undefined {
  for (const key of keys) {
    const name = prefix + key;
    const reason = name === "NODE_OPTIONS" ? nodeOptionsMessage(undefined) : refusedEnvReason(name);
    if (reason !== undefined)
      return `key "${key}" would set ${name}, which cannot be set here: ${reason} Rename the key, or give a prefix.`;
  }
  return undefined;
}

function sourceProblem(fleet: Reading<unknown>): Acceptance | undefined {
  if (fleet.kind === "ok") return undefined;
  if (fleet.reason === "NoSuchSource")
    return refused("UnknownMetricSource", `spec.metrics.source: ${fleet.message}`);
  if (fleet.reason === "NotAllowed")
    return refused("MetricSourceNotAllowed", `spec.metrics.source: ${fleet.message}`);
  return undefined;
}

/** What the CRD of a newer version has brought, and this version does not act on. */
function passedOver({ spec }: Snapshot): string {
  if (!spec.ok || spec.newer.length === 0) return "";
  const fields = spec.newer.slice(0, 8).join(", ");
  return ` Of a newer CRD, and without effect until the operator is upgraded: ${fields.slice(0, 600)}.`;
}

/** Names that lead back to the bridge order nothing; whoever wrote them must read of it. */
function circular({ spec, rollouts, bridge: { name } }: Snapshot): string {
  const found = spec.ok ? circle(rollouts, name, spec.value.rollout.after ?? []) : undefined;
  if (!found) return "";
  return ` spec.rollout.after makes a circle (${found.slice(0, 8).join(" after ")}), which orders nothing; remove one of its names.`;
}

/** Gates that are never looked at hold nothing back, or hold for ever. */
function uncompared({ spec }: Snapshot): string {
  const sentence = spec.ok ? uncomparedGates(spec.value.rollout) : undefined;
  return sentence === undefined ? "" : ` ${sentence}`;
}

/** Refusing would be no help to whoever has left it at its default. */
function countedOver({ spec, scrapeMs }: Snapshot): string {
  if (!spec.ok || scrapeMs === undefined) return "";
  const { interval } = spec.value.rollout.analysis;
  if (countingMs({ interval }, scrapeMs) === durationMs(interval)) return "";
  return ` Requests are counted over ${scrapeMs / 1000}s, the scrapeInterval of the metric source, which is longer than spec.rollout.analysis.interval (${interval}).`;
}

/**
 * Whether the spec can be acted on, by what only the operator can see; the schema has refused the rest before.
 * While it is refused the running version stays as it is.
 */
export function acceptance(
  snapshot: Snapshot,
  tuning: TuningResult | undefined,
  bounds: Bounds | undefined,
  takeOver?: TakeOverObjection,
): Acceptance {
  for (const policy of POLICIES) {
    const objection = policy(snapshot, tuning, bounds);
    if (objection) return objection;
  }
  if (takeOver) return refused(takeOver.reason, takeOver.message);
  return {
    accepted: true,
    reason: "Valid",
    message: `The spec is valid and permitted.${passedOver(snapshot)}${circular(snapshot)}${uncompared(snapshot)}${countedOver(snapshot)}`,
  };
}
