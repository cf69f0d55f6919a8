import { GROUP, KIND, VERSION } from "../api/v1alpha1/llmbridge.ts";
import type { GateStatus, LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import { SIGNALS } from "../evidence/counts.ts";
import type { KubeClient } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { LLMBRIDGES } from "./caches.ts";
import { sameJson } from "./canonical.ts";
import { isTelling } from "./decide/leave-alone.ts";
import { type BridgeRef, CONDITIONS_MANAGER, STATUS_MANAGER } from "./names.ts";
import type { Plan } from "./plan.ts";

/** Numbers alone are written this often; counts of ready pods and sentences so often; everything else at once. */
export const NUMBERS_EVERY_MS = 5 * 60_000;
export const COUNTS_EVERY_MS = 2_000;

/**
 * The numbers of a verdict are also written each time that its evidence has grown by half. A person who watches a rollout that takes a
 * minute sees them move, and one that takes days costs a few dozen writes more.
 */
const GROWTH = 1.5;
const COUNTED: ReadonlySet<string> = new Set(SIGNALS);

/**
 * In how many milliseconds the status is worth a write; undefined: not before something else changes.
 * - Categories at once: phases, conditions, steps, verdicts, alerts, replicas, decisions.
 * - Counts within two seconds: pods that become ready one after the other, and the sentences that count them, else cost a write each.
 * - Numbers once the last write is old enough: estimates, shares, demands and the evidence behind a verdict, which the source still has.
 */
export function writeDueInMs(
  before: LLMBridgeStatus,
  after: LLMBridgeStatus,
  lastWrittenMs: number | undefined,
  nowMs: number,
): number | undefined {
  const differs = (part: (status: LLMBridgeStatus) => unknown) => !sameJson(part(before), part(after));
  if (differs(categories)) return 0;
  if (!differs((status) => status)) return undefined;
  // A clock that was set back says nothing of how old the last write is.
  const ageMs =
    lastWrittenMs === undefined || nowMs < lastWrittenMs ? NUMBERS_EVERY_MS : nowMs - lastWrittenMs;
  if (differs(counts)) return Math.max(0, COUNTS_EVERY_MS - ageMs);
  return ageMs >= NUMBERS_EVERY_MS ? 0 : undefined;
}

function counts({
  stable,
  canary,
  baseline,
  previous,
  conditions,
  summary,
  secrets,
}: LLMBridgeStatus): unknown {
  return {
    secrets,
    ready: [stable, canary, baseline, previous].map((version) => version?.ready),
    said: [summary, ...conditions.map(({ message }) => message)],
  };
}

function categories(status: LLMBridgeStatus): unknown {
  const version = (one: LLMBridgeStatus["stable"]) =>
    one && { ...one, ready: undefined, podShare: undefined, requestShare: undefined };
  return {
    ...status,
    summary: undefined,
    conditions: status.conditions.map((condition) => ({ ...condition, message: undefined })),
    stable: version(status.stable),
    canary: version(status.canary),
    baseline: version(status.baseline),
    previous: version(status.previous),
    rollout: status.rollout && {
      ...status.rollout,
      gates: status.rollout.gates?.map((gate) => (gate.state === "Asked" ? askedOf(gate) : gate)),
    },
    forecast: undefined,
    notifiedThrough: undefined,
    // That nothing has been counted yet is what a canary begins with.
    verdicts: status.verdicts
      .filter(({ category, samples = 0 }) => category !== "NoData" || samples > 0)
      .map(({ signal, category, samples = 0 }) => ({
        signal,
        category,
        // Looks at gates are few, and grow beside the requests.
        grown: COUNTED.has(signal) ? Math.floor(Math.log(samples + 1) / Math.log(GROWTH)) : 0,
      })),
    evidence: status.evidence && { revision: status.evidence.revision },
    scaling: status.scaling && { recommended: status.scaling.recommended, held: status.scaling.held },
    workers: status.workers && { current: status.workers.current, cap: status.workers.cap },
    secrets: status.secrets.map(({ name, state, changedAt }) => ({ name, state, changedAt })),
    alerts: status.alerts.map(({ name, state, action, severity, lastActed }) => ({
      name,
      state,
      action,
      severity,
      lastActed,
    })),
  };
}

/** What a webhook says before its verdict is news once, and afterwards a number among others: some tell with every try how far they are. */
const askedOf = ({ message, until: _, ...gate }: GateStatus) => ({
  ...gate,
  said: gate.kind === "Job" ? message : message !== undefined,
});

/**
 * What may be reported of a plan that could not be carried out whole: what it says of the bridge, and nothing that it wanted to have
 * reached. The next pass then decides the same again.
 */
export function withoutProgress(plan: Plan, before: LLMBridgeStatus): Plan {
  const { observedGeneration, revision, conditions, summary } = plan.status;
  const { revision: _, ...reached } = before;
  const said = {
    conditions,
    phase: before.phase ?? "Pending",
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    // What is asked for stands beside the generation: by it people tell whether they have it.
    ...(revision === undefined ? {} : { revision }),
    ...(before.summary === undefined && summary !== undefined ? { summary } : {}),
  };
  return { ...plan, events: [], decisions: [], ended: undefined, status: { ...reached, ...said } };
}

/** With what receivers of notifications have been told of; the rest is told by whoever takes over. */
export function withNotified(plan: Plan, throughMs: number | undefined): Plan {
  if (plan.statusScope !== "Whole") return plan;
  const { notifiedThrough: _, ...status } = plan.status;
  const known = throughMs === undefined ? {} : { notifiedThrough: new Date(throughMs).toISOString() };
  return { ...plan, status: { ...status, ...known } };
}

/**
 * Writes the status by server-side apply, bound to the version of the bridge that it was decided on: what a rollout has reached is
 * kept nowhere else. A bridge that is gone needs none, and the caller is told.
 *
 * Of a status that cannot be read only the conditions that say so are written, under a manager of their own, so that nothing else is given
 * up and no condition of a newer version is taken.
 */
export async function report(
  client: KubeClient,
  bridge: BridgeRef & { readonly resourceVersion: string },
  plan: Pick<Plan, "status" | "statusScope">,
  signal?: AbortSignal,
): Promise<"Written" | "Gone"> {
  const { namespace, name, uid, resourceVersion } = bridge;
  const whole = plan.statusScope === "Whole";
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { namespace, name, uid, resourceVersion },
    status: whole ? plan.status : { conditions: plan.status.conditions.filter(isTelling) },
  };
  const fieldManager = whole ? STATUS_MANAGER : CONDITIONS_MANAGER;
  try {
    await client.applyStatus(LLMBRIDGES, body, { fieldManager, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return "Gone";
  }
  return "Written";
}
