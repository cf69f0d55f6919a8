import { GROUP, KIND, VERSION } from "../api/v1alpha1/llmbridge.ts";
import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { KubeClient } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { LLMBRIDGES } from "./caches.ts";
import { canonicalJson } from "./canonical.ts";
import { type BridgeRef, CONDITIONS_MANAGER, STATUS_MANAGER } from "./names.ts";
import type { Plan } from "./plan.ts";

/** Numbers alone are written this often; everything else at once. */
export const NUMBERS_EVERY_MS = 5 * 60_000;

/**
 * The numbers of a verdict are also written each time that its evidence has grown by half. A person who watches a rollout that takes a
 * minute sees them move, and one that takes days costs a few dozen writes more.
 */
const GROWTH = 1.5;

/**
 * Whether the status is worth a write: a category has changed, or numbers have and the last write is old enough.
 * Categories are phases, conditions, steps, verdicts, alerts, replicas, decisions; numbers are estimates, shares, demands and the
 * evidence behind a verdict, which the source still has.
 */
export function worthWriting(
  before: LLMBridgeStatus,
  after: LLMBridgeStatus,
  lastWrittenMs: number | undefined,
  nowMs: number,
): boolean {
  if (canonicalJson(categories(before)) !== canonicalJson(categories(after))) return true;
  if (canonicalJson(before) === canonicalJson(after)) return false;
  return lastWrittenMs === undefined || nowMs - lastWrittenMs >= NUMBERS_EVERY_MS;
}

function categories(status: LLMBridgeStatus): unknown {
  const version = (one: LLMBridgeStatus["stable"]) =>
    one && { ...one, podShare: undefined, requestShare: undefined };
  return {
    ...status,
    stable: version(status.stable),
    canary: version(status.canary),
    forecast: undefined,
    verdicts: status.verdicts.map(({ signal, category, samples = 0 }) => ({
      signal,
      category,
      grown: Math.floor(Math.log(samples + 1) / Math.log(GROWTH)),
    })),
    evidence: status.evidence && { revision: status.evidence.revision },
    scaling: status.scaling && { recommended: status.scaling.recommended },
    workers: status.workers && { current: status.workers.current, cap: status.workers.cap },
    alerts: status.alerts.map(({ name, state, action, severity, lastActed }) => ({
      name,
      state,
      action,
      severity,
      lastActed,
    })),
  };
}

/**
 * What may be reported of a plan that could not be carried out whole: what it says of the bridge, and nothing that it wanted to have
 * reached. The next pass then decides the same again.
 */
export function withoutProgress(plan: Plan, before: LLMBridgeStatus): Plan {
  const { observedGeneration, conditions, summary } = plan.status;
  const said = {
    conditions,
    phase: before.phase ?? "Pending",
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(before.summary === undefined && summary !== undefined ? { summary } : {}),
  };
  return { ...plan, events: [], decisions: [], status: { ...before, ...said } };
}

/**
 * Writes the status by server-side apply, bound to the version of the bridge that it was decided on: what a rollout has reached is
 * kept nowhere else. A bridge that is gone needs none.
 *
 * Of a status that cannot be read only the conditions are written, under a manager of their own, so that nothing else is given up.
 */
export async function report(
  client: KubeClient,
  bridge: BridgeRef & { readonly resourceVersion: string },
  plan: Pick<Plan, "status" | "statusScope">,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, name, uid, resourceVersion } = bridge;
  const whole = plan.statusScope === "Whole";
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { namespace, name, uid, resourceVersion },
    status: whole ? plan.status : { conditions: plan.status.conditions },
  };
  const fieldManager = whole ? STATUS_MANAGER : CONDITIONS_MANAGER;
  try {
    await client.applyStatus(LLMBRIDGES, body, { fieldManager, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
