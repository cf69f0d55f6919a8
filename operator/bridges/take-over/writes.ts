import type { RolloutOutcome } from "../../rollout/types.ts";
import type { TakeOverWrite } from "../apply.ts";
import { canonicalJson } from "../canonical.ts";
import { service as serviceFor } from "../desired/fixed.ts";
import { ANNOTATIONS, type BridgeRef, childLabels, ownerReference } from "../names.ts";
import {
  isOurs,
  type OldService,
  TAKEN_OVER,
  type TakenNames,
  type TakenObjects,
  takenLabels,
} from "./observed.ts";
import { byNumber } from "./ports.ts";
import type { TakeOverView } from "./view.ts";

/** Writes to what is taken over, by their place among those of a pass. */
export interface TakeOverWrites {
  /** Before anything else: what a deletion would have to undo is noted before it is done. */
  readonly first: readonly TakeOverWrite[];
  /** More pods of the old version. */
  readonly growth: readonly TakeOverWrite[];
  /** With the Services of the bridge. */
  readonly traffic: readonly TakeOverWrite[];
  /** Fewer pods of the old version, and letting go. */
  readonly last: readonly TakeOverWrite[];
}

const NOTHING: TakeOverWrites = { first: [], growth: [], traffic: [], last: [] };

export interface TakeOverInput {
  readonly bridge: BridgeRef;
  readonly view: TakeOverView | undefined;
  readonly outcome: Pick<RolloutOutcome, "services">;
  /** Pods wanted of the old version; undefined where the rollout says nothing of it. */
  readonly replicas: number | undefined;
}

/** What has to be written to the old Deployment, its pods and its Service. None of it reaches a pod template, so no pod restarts. */
export function takeOverWrites(input: TakeOverInput): TakeOverWrites {
  const { view, bridge, outcome, replicas } = input;
  if (!view?.seen || view.stage === "Refused") return NOTHING;
  if (view.stage === "Released") return { ...NOTHING, last: release(bridge, view) };
  const traffic = outcome.services ? serviceWrites(bridge, view, outcome.services.main) : [];
  if (view.stage === "Complete") return { ...NOTHING, traffic };
  const scaled = scaleWrites(view, replicas);
  const isGrowth = (replicas ?? 0) > (view.seen.deployment?.replicas ?? 0);
  return {
    first: [...notes(bridge, view), ...labels(bridge, view)],
    growth: isGrowth ? scaled : [],
    traffic,
    last: isGrowth ? [] : scaled,
  };
}

const noteOf = ({ name, uid }: BridgeRef) => ({ [ANNOTATIONS.takenOverBy]: `${name}/${uid}` });

function notes(bridge: BridgeRef, { seen, replicasBefore }: TakeOverView): TakeOverWrite[] {
  const { deployment, services = [], hasFinalizer } = seen ?? {};
  const writes: TakeOverWrite[] = hasFinalizer ? [] : [{ kind: "Finalizer", change: "Add" }];
  if (deployment && !isOurs(deployment.note, bridge)) {
    const annotations = { ...noteOf(bridge), [ANNOTATIONS.replicasBefore]: String(replicasBefore) };
    writes.push(patch("deployments", deployment, { metadata: { annotations } }));
  }
  for (const service of services) {
    if (isOurs(service.note, bridge)) continue;
    const { selector, ports } = service;
    const before = { [ANNOTATIONS.serviceBefore]: canonicalJson({ selector, ports }) };
    writes.push(patch("services", service, { metadata: { annotations: { ...noteOf(bridge), ...before } } }));
  }
  return writes;
}

/** Services of the bridge find the old pods by labels that are put on them as they run. */
function labels(bridge: BridgeRef, { seen }: TakeOverView): TakeOverWrite[] {
  return (seen?.pods ?? [])
    .filter((pod) => !pod.isLabelled && !pod.terminating && !pod.finished)
    .map(({ name, uid }) => ({
      kind: "Foreign",
      resource: "pods",
      name,
      uid,
      patch: { metadata: { labels: takenLabels(bridge) } },
    }));
}

function scaleWrites({ seen }: Pick<TakeOverView, "seen">, replicas: number | undefined): TakeOverWrite[] {
  const { deployment } = seen ?? {};
  if (!deployment || replicas === undefined || deployment.replicas === replicas) return [];
  return [patch("deployments", deployment, { spec: { replicas } })];
}

/** As it was while only the old version serves, and from then on as the bridge's own Service. */
function serviceWrites(bridge: BridgeRef, { seen }: TakeOverView, main: readonly string[]): TakeOverWrite[] {
  const { services = [], deployment } = seen ?? {};
  if (main.length === 0) return [];
  const isOldAlone = main.length === 1 && main[0] === TAKEN_OVER;
  return services.flatMap((service) => {
    if (isOldAlone) return led(service, service.before ?? service);
    const { selector } = serviceFor(bridge, service.name, main).spec;
    return led(service, { selector, ports: byNumber(service.ports, deployment?.ports ?? []) });
  });
}

function led(service: OldService, wanted: Pick<OldService, "selector" | "ports">): TakeOverWrite[] {
  if (canonicalJson(partsOf(service)) === canonicalJson(partsOf(wanted))) return [];
  return [patch("services", service, { spec: specPatch(service, wanted) })];
}

const partsOf = ({ selector, ports }: Pick<OldService, "selector" | "ports">) => ({ selector, ports });

/** A merge patch takes away only what it names. */
function specPatch(service: OldService, { selector, ports }: Pick<OldService, "selector" | "ports">) {
  const gone = Object.fromEntries(Object.keys(service.selector).map((key) => [key, null]));
  return { selector: { ...gone, ...selector }, ports };
}

const WITHOUT_NOTE = {
  [ANNOTATIONS.takenOverBy]: null,
  [ANNOTATIONS.replicasBefore]: null,
  [ANNOTATIONS.serviceBefore]: null,
};

/**
 * Lets go of what was taken over. A Service goes on to reach every pod of the bridge, whatever becomes of it later; the one that stands for the
 * bridge's own becomes the bridge's own.
 */
function release(bridge: BridgeRef, { seen }: TakeOverView): TakeOverWrite[] {
  const { deployment, services = [], hasFinalizer } = seen ?? {};
  const writes: TakeOverWrite[] = [];
  for (const service of services) {
    if (!isOurs(service.note, bridge)) continue;
    const isMain = service.name === bridge.name;
    const selector = serviceFor(bridge, service.name, []).spec.selector;
    const owned = { labels: childLabels(bridge.name, "traffic"), ownerReferences: [ownerReference(bridge)] };
    writes.push(
      patch("services", service, {
        metadata: { annotations: WITHOUT_NOTE, ...(isMain ? owned : {}) },
        ...(isMain ? {} : { spec: specPatch(service, { selector, ports: service.ports }) }),
      }),
    );
  }
  if (deployment && isOurs(deployment.note, bridge))
    writes.push(patch("deployments", deployment, { metadata: { annotations: WITHOUT_NOTE } }));
  return hasFinalizer ? [...writes, { kind: "Finalizer", change: "Remove" }] : writes;
}

/** How long a deletion waits for the old pods; what serves until then goes with the bridge. */
const GIVE_BACK_MS = 10 * 60_000;

/**
 * What a deleted bridge has to write before it may go: the old Deployment gets its pods again, and when they are ready its Service leads to them as
 * before. Until then the pods of the bridge serve, since they go only with it.
 */
export function giveBack(
  bridge: BridgeRef,
  view: { readonly names: TakenNames; readonly seen: TakenObjects; readonly replicasBefore: number },
  deletedForMs: number,
): readonly TakeOverWrite[] {
  const { seen, replicasBefore } = view;
  const deployment = seen.deployment?.isEnding ? undefined : seen.deployment;
  const isMine = isOurs(deployment?.note, bridge);
  const wanted = isMine ? replicasBefore : 0;
  const scaled = deployment && deployment.replicas < wanted ? scaleWrites(view, wanted) : [];
  const serving = seen.pods.filter(({ isServing }) => isServing).length;
  if (serving < wanted && deletedForMs < GIVE_BACK_MS) return scaled;
  const writes: TakeOverWrite[] = [...scaled];
  for (const service of seen.services) {
    if (!isOurs(service.note, bridge)) continue;
    const spec = service.before ? { spec: specPatch(service, service.before) } : {};
    writes.push(patch("services", service, { metadata: { annotations: WITHOUT_NOTE }, ...spec }));
  }
  const unlabelled = Object.fromEntries(Object.keys(takenLabels(bridge)).map((key) => [key, null]));
  for (const { name, uid, isLabelled } of seen.pods)
    if (isLabelled)
      writes.push({
        ...{ kind: "Foreign", resource: "pods", name, uid },
        patch: { metadata: { labels: unlabelled } },
      });
  if (deployment && isMine && scaled.length === 0)
    writes.push(patch("deployments", deployment, { metadata: { annotations: WITHOUT_NOTE } }));
  return [...writes, { kind: "Finalizer", change: "Remove" }];
}

function patch(
  resource: "deployments" | "services",
  {
    name,
    uid,
    resourceVersion,
  }: { readonly name: string; readonly uid: string; readonly resourceVersion: string },
  change: Readonly<Record<string, unknown>>,
): TakeOverWrite {
  return { kind: "Foreign", resource, name, uid, resourceVersion, patch: change };
}
