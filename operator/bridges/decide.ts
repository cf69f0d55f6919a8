import { rollout as rolloutSchema } from "../api/v1alpha1/rollout.ts";
import { quantityCpus } from "../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { type GateVerdict, observeGates } from "../evidence/gates.ts";
import type { EvidenceState } from "../evidence/state.ts";
import { advanceRollout } from "../rollout/advance.ts";
import { type FleetFacts, fleetFacts } from "../rollout/fleet/facts.ts";
import type { RolloutInput, RolloutOutcome } from "../rollout/types.ts";
import { comparedPair } from "../rollout/watch.ts";
import { tune } from "../tuning/tune.ts";
import { tuningInput } from "../tuning/tuning-input.ts";
import { acceptance } from "./decide/acceptance.ts";
import { bounds as boundsOf } from "./decide/bounds.ts";
import { desiredChildren } from "./decide/children.ts";
import { eventsOf } from "./decide/events.ts";
import { beginCanaryEvidence, begun, type Evidence, gatherEvidence, pastFailure } from "./decide/evidence.ts";
import { requestShares, revisionFacts } from "./decide/facts.ts";
import { fitStatus } from "./decide/fit-status.ts";
import { gateReadings } from "./decide/gates.ts";
import { withHeldReplicas } from "./decide/held-replicas.ts";
import { changedContent, copiedSecrets } from "./decide/kept-content.ts";
import { leaveAlone } from "./decide/leave-alone.ts";
import { grant } from "./decide/pool-grants.ts";
import { lookAtRoute, routeWrites } from "./decide/route.ts";
import { storedRevisions } from "./decide/runtime.ts";
import { alertsAfter, scale as scaleOf } from "./decide/scale.ts";
import { lookAtSecrets } from "./decide/secrets.ts";
import { status } from "./decide/status.ts";
import { rolloutVerdicts } from "./decide/verdicts.ts";
import { versions } from "./decide/versions.ts";
import { withVictim } from "./decide/victims.ts";
import { REST_MS, wakeAfter } from "./decide/wake.ts";
import { gatherWatch, nextWatch, type Watch, watchVerdicts } from "./decide/watch.ts";
import { difference } from "./difference.ts";
import type { Memory } from "./memory.ts";
import { canaryEvidence } from "./observe/evidence.ts";
import type { Plan } from "./plan.ts";
import { keptConfigMaps } from "./references.ts";
import { contentMarks, type KeptContent, revisionHash } from "./revision.ts";
import { keptSecrets } from "./secret-references.ts";
import type { Snapshot } from "./snapshot.ts";
import { withoutBaseline, withoutComparison } from "./take-over/verdicts.ts";
import { lookAtTakeOver, stateWithOld, withOldVersion } from "./take-over/view.ts";

/**
 * The spec's rollout part where the spec itself cannot be read: everything at its default, and nothing new starts. But traffic that goes by a route
 * goes on by it, and a baseline that serves stays.
 */
function defaultRollout({ status }: Snapshot): LLMBridgeSpec["rollout"] {
  const router = status.rollout?.routedWeight === undefined ? "Replicas" : "Gateway";
  return rolloutSchema.parse({ traffic: { router }, baseline: status.rollout?.baseline });
}

/**
 * The whole decision: from what is observed to what is wanted. Pure, so the same snapshot gives the same plan, and everything the
 * operator does can be tested, replayed and explained without a cluster.
 */
export function decide(observed: Snapshot): { plan: Plan; memory: Memory } {
  if (observed.unreadableStatus) {
    return leaveAlone(observed, { reason: "UnreadableStatus", message: observed.unreadableStatus }, REST_MS);
  }
  const { spec, held } = observed.spec.ok
    ? withHeldReplicas(observed.spec.value, observed.status, observed.nowMs)
    : { spec: undefined, held: undefined };
  const takeOver = lookAtTakeOver(observed, spec);
  if (observed.takeOver.kind === "Forbidden" && takeOver?.stage === "Serving")
    return leaveAlone(observed, { reason: "TakeOverForbidden", message: observed.takeOver.message }, REST_MS);
  const snapshot = withOldVersion(observed, takeOver);
  const tuning = spec && tune(tuningInput(spec));
  const bounds = spec && boundsOf(spec);
  const verdict = acceptance(snapshot, tuning, bounds, takeOver?.objection);
  const rollout = withoutBaseline(spec?.rollout ?? defaultRollout(snapshot), takeOver);
  const facts = revisionFacts(snapshot);
  const evidence = withoutComparison(gatherEvidence(snapshot, rollout), snapshot.status, takeOver);
  const watch = gatherWatch(snapshot, rollout);
  const gates = lookAtGates(snapshot, spec, evidence);
  const stored = storedRevisions(snapshot.bridge.name, snapshot.children);
  const scale = scaleOf({
    snapshot,
    spec,
    bounds,
    accepted: verdict.accepted,
    stored,
    held,
    workerCap: tuning?.workerCap ?? 0,
    workerCapReason: tuning?.workerCapReason ?? "",
  });
  const kept = keptContent(snapshot, spec);
  const before = stored.get(snapshot.status.rollout?.stableRevision ?? "")?.contents;
  const desired = {
    ...desiredRevision(snapshot, verdict.accepted ? spec : undefined, kept),
    because: changedContent(kept, before),
  };
  const route = lookAtRoute(snapshot, rollout);
  const metrics = metricsAvailability(snapshot, evidence, watch);
  const outcome = advanceRollout({
    nowMs: snapshot.nowMs,
    spec: rollout,
    desired,
    state: stateWithOld(snapshot, takeOver),
    capacity: {
      needed: scale.needed,
      maxPods: bounds?.maxPods ?? 2 * scale.needed + 1,
      maxPodsBy: bounds?.maxPodsBy ?? "the spec",
    },
    revisions: facts,
    route: route.facts,
    verdicts: watch
      ? watchVerdicts(watch)
      : rolloutVerdicts({ ...evidence, state: gates.state }, gates.verdicts),
    metrics,
    gates: snapshot.gates.answers,
    alerts: { hold: scale.hold, rollback: scale.rollback },
    command: snapshot.command,
    acknowledgedCommandId: snapshot.status.command?.id,
    fleet: fleetOf(snapshot, rollout, desired.revision),
    accepted: verdict.accepted,
  });
  const secrets = lookAtSecrets(snapshot, copiedSecrets(stored));
  const granted = grant({
    snapshot,
    bounds: verdict.accepted ? bounds : undefined,
    postgresRef: spec?.pools.postgres?.secretRef,
    stored,
    replicas: outcome.replicas,
    workers: scale.workers,
    workerCap: tuning?.workerCap ?? 0,
  });
  const children = desiredChildren({
    snapshot,
    spec: verdict.accepted ? spec : undefined,
    tuning: tuning && tuning.issues.length === 0 ? tuning : undefined,
    desiredRevision: verdict.accepted ? desired.revision : undefined,
    kept,
    stored,
    outcome,
    replicas: granted.replicas,
    grants: granted.grants,
    // What nobody can read the limit of loses nothing.
    historyLimit: spec ? rollout.revisionHistoryLimit : Number.POSITIVE_INFINITY,
    route: routeWrites(snapshot, spec && { rollout, isAccepted: verdict.accepted }, route, outcome),
    takeOver,
    touches: secrets.touches,
  });
  const writes = difference(withVictim(children, snapshot, outcome), snapshot);
  const evidenceState = nextEvidence(snapshot, outcome, gates.state, rollout);
  // What begins in this pass is told in it: nothing may come for an hour that would have it told in another.
  const isBegun = evidenceState !== undefined && evidenceState !== gates.state;
  const told = isBegun ? begun(evidence, evidenceState) : { ...evidence, state: gates.state };
  const watched =
    outcome.evidence.action === "watch"
      ? nextWatch(snapshot, rollout.analysis, outcome.evidence, { watch, evidence })
      : undefined;
  const decisions = [...outcome.decisions, ...scale.decisions, ...secrets.decisions];
  const next = fitStatus(
    status({
      snapshot,
      spec,
      acceptance: verdict,
      bounds,
      tuning,
      outcome,
      facts,
      route: route.condition,
      metrics,
      takeOver,
      revision: verdict.accepted ? desired.revision : undefined,
      versions: versions({
        outcome,
        facts,
        replicas: granted.replicas,
        requestShares: requestShares(snapshot),
        desired,
      }),
      evidence: told,
      evidenceState,
      watch,
      watched,
      gates: isBegun ? lookAtGates(snapshot, spec, told).verdicts : gates.verdicts,
      scale,
      secrets,
    }),
  );
  return {
    plan: {
      writes,
      status: next,
      statusScope: "Whole",
      events: eventsOf(decisions),
      decisions,
      ended: outcome.ended,
      wakeAfterMs: wakeAfter(snapshot, outcome, {
        canary: evidence.missing === undefined ? evidenceState : undefined,
        promoted: watch?.missing === undefined ? watched : undefined,
        intervalMs: evidence.intervalMs,
      }),
    },
    memory: {
      ...snapshot.memory,
      scaling: scale.scalingState,
      alerts: alertsAfter(scale, outcome, snapshot.nowMs),
      kubelet: snapshot.kubelet,
      takeOverMs: snapshot.takeOver.kind === "Read" ? snapshot.nowMs : snapshot.memory.takeOverMs,
      forecastMs: snapshot.forecast?.kind === "ok" ? snapshot.nowMs : snapshot.memory.forecastMs,
      evidence:
        evidenceState && outcome.state?.canaryRevision !== undefined
          ? { revision: outcome.state.canaryRevision, state: evidenceState }
          : undefined,
      watch:
        watched && outcome.evidence.revision !== undefined
          ? { revision: outcome.evidence.revision, state: watched }
          : undefined,
    },
  };
}

/** A bridge that has all that its spec asks for need not know of the others. */
function fleetOf(
  { status, rollouts, bridge: { namespace, name }, nowMs }: Snapshot,
  { after = [] }: LLMBridgeSpec["rollout"],
  desired: string,
): FleetFacts | undefined {
  const { stableRevision, canaryRevision, queued } = status.rollout ?? {};
  if (stableRevision === undefined || (desired === stableRevision && canaryRevision === undefined))
    return undefined;
  return fleetFacts(rollouts, { namespace, name, after, since: queued?.since, nowMs });
}

/** Where something of it cannot be read the spec is refused, and nothing is made of it. */
const keptContent = (snapshot: Snapshot, spec: LLMBridgeSpec | undefined): KeptContent => ({
  configMaps: (spec && keptConfigMaps(spec, snapshot.configMaps)) ?? [],
  secrets: (spec && keptSecrets(spec, snapshot.secrets)) ?? [],
});

/** While the spec is refused, what should run is what already does. */
function desiredRevision(
  snapshot: Snapshot,
  spec: LLMBridgeSpec | undefined,
  kept: KeptContent,
): RolloutInput["desired"] {
  if (spec) return { revision: revisionHash(spec, contentMarks(kept)), image: spec.image };
  const { rollout, stable, canary } = snapshot.status;
  const revision = rollout?.canaryRevision ?? rollout?.stableRevision ?? "";
  return { revision, image: (canary ?? stable)?.image ?? "" };
}

function lookAtGates(
  snapshot: Snapshot,
  spec: LLMBridgeSpec | undefined,
  evidence: Evidence,
): { state: EvidenceState | undefined; verdicts: readonly GateVerdict[] } {
  const { state, canary } = evidence;
  const pair = spec && comparedPair(snapshot.status.rollout, spec.rollout);
  if (!state || !spec || canary === undefined || !pair) return { state, verdicts: [] };
  const compared = { canary, stable: pair.reference };
  const readings = gateReadings(snapshot, compared, quantityCpus(spec.resources.limits.cpu));
  // The readings are of now. While what was missed is counted, each pass would take them for those of other intervals.
  const endMs = evidence.missing === undefined ? state.intervalEndMs : undefined;
  return observeGates(state, evidence.config, spec.rollout.analysis.gates, readings, endMs);
}

function metricsAvailability(
  snapshot: Snapshot,
  evidence: Evidence,
  watch: Watch | undefined,
): RolloutInput["metrics"] {
  // What is wrong with the source explains what is missing of a version.
  if (snapshot.fleet.kind === "failing") return { available: false, message: snapshot.fleet.message };
  if (watch?.missing) return { available: false, message: watch.missing };
  if (evidence.state && evidence.missing) return { available: false, message: evidence.missing };
  // A canary that serves and is not judged yet, for what the source says.
  const past = pastFailure(snapshot, evidence.canary);
  if (past && snapshot.status.rollout?.evidenceSince !== undefined)
    return { available: false, message: past.message };
  return { available: true, message: "" };
}

/** Evidence goes on, begins anew, or ends, as the rollout says. */
function nextEvidence(
  snapshot: Snapshot,
  outcome: RolloutOutcome,
  state: EvidenceState | undefined,
  rollout: LLMBridgeSpec["rollout"],
): EvidenceState | undefined {
  const { evidence } = outcome;
  if (evidence.action === "stop" || evidence.action === "watch") return undefined;
  const config = canaryEvidence(rollout, snapshot.status.rollout, snapshot.scrapeMs);
  const begin = () => beginCanaryEvidence(snapshot, config, evidence.revision, evidence.sinceMs);
  if (evidence.action === "start") return begin();
  const about = snapshot.status.rollout?.canaryRevision;
  return state && about === evidence.revision ? state : begin();
}
