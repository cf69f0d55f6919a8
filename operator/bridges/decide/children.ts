import { networkPolicy, podDisruptionBudget, service, serviceAccount } from "../desired/fixed.ts";
import type { DesiredState } from "../difference.ts";
import { baselineService, canaryService, productionService } from "../names.ts";
import { TAKEN_OVER } from "../take-over/observed.ts";
import { takeOverWrites } from "../take-over/writes.ts";
import { hasBaselineService } from "./baseline-service.ts";
import type { ChildrenInput } from "./children-input.ts";
import { revisionParts } from "./revision-parts.ts";
import { childrenOf, surplusRevisions } from "./surplus.ts";

/** Selects no pod: what the canary's Service selects while there is no canary. */
const NO_REVISION = "none";

/** Every child as it should be now. */
export function desiredChildren(input: ChildrenInput): DesiredState {
  const { snapshot, outcome } = input;
  const { bridge } = snapshot;
  const own = Object.keys(input.replicas).filter((revision) => revision !== TAKEN_OVER);
  const parts = own.map((revision) => revisionParts(input, revision));
  const others = input.takeOver ? [TAKEN_OVER] : [];
  const surplus = surplusRevisions(input);
  return {
    supporting: [
      { resource: "serviceaccounts", object: serviceAccount(bridge) },
      { resource: "poddisruptionbudgets", object: podDisruptionBudget(bridge, others) },
      { resource: "networkpolicies", object: networkPolicy(bridge, others) },
      ...parts.filter((part) => !surplus.includes(part.desired.revision)).flatMap((part) => part.configMaps),
    ],
    secrets: parts.flatMap(({ secrets }) => secrets),
    services: services(input),
    takeOver: takeOverWrites({
      ...{ bridge, outcome, view: input.takeOver },
      replicas: input.replicas[TAKEN_OVER],
    }),
    route: input.route,
    revisions: parts.map((part) => part.desired),
    podAnnotations: [...parts.flatMap((part) => part.touches), ...input.touches],
    evictions: evictions(input),
    surplus: surplus.flatMap((revision) => childrenOf(snapshot, revision)),
  };
}

function services({ snapshot, spec, outcome, takeOver }: ChildrenInput): DesiredState["services"] {
  const { bridge } = snapshot;
  if (!outcome.services) return [];
  const { main, stable, canary, baseline = stable } = outcome.services;
  const targets: readonly (readonly [string, readonly string[]])[] = [
    [bridge.name, main],
    [productionService(bridge.name), stable],
    [canaryService(bridge.name), canary],
    ...(hasBaselineService(snapshot, spec?.rollout)
      ? [[baselineService(bridge.name), baseline] as const]
      : []),
  ];
  // Old pods name their ports as they like.
  const ports = takeOver?.stage === "Serving" ? "Numbered" : "Named";
  return (
    targets
      .map(([name, revisions]) => service(bridge, name, orNone(revisions), ports))
      // A Service that is taken over stands for the bridge's own of that name.
      .filter(({ metadata }) => !takeOver?.names.services.includes(metadata.name))
  );
}

const orNone = (revisions: readonly string[]) => (revisions.length === 0 ? [NO_REVISION] : revisions);
/** Those that are not ready serve nobody and go first; then the oldest. The same choice until the cache shows them ending. */
function evictions({ snapshot, outcome }: ChildrenInput): DesiredState["evictions"] {
  if (!outcome.evictions) return [];
  const { before, count } = outcome.evictions;
  return snapshot.pods
    .filter((pod) => pod.revision === outcome.state?.stableRevision && !pod.terminating && !pod.finished)
    .filter((pod) => pod.createdMs < Date.parse(before))
    .sort(
      (a, b) => Number(a.ready) - Number(b.ready) || a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1),
    )
    .slice(0, count)
    .map(({ name, uid }) => ({ name, uid }));
}
