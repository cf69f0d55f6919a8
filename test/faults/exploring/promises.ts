import { LABELS } from "../../../contract/kubernetes.ts";
import { ANNOTATIONS } from "../../../operator/bridges/names.ts";
import type { Change } from "./history.ts";
import {
  after,
  type BridgeView,
  bridgeIn,
  capacityOf,
  configMapsIn,
  isLeaving,
  isReady,
  keyOf,
  type PodView,
  podsIn,
  revisionOf,
  routesIn,
  selectorOf,
  servicesIn,
  sum,
  type World,
} from "./world.ts";

/**
 * What no action of the operator's may break, as far as the API tells of it (docs/concepts/reliability.md), held against every state that there was in
 * a story: what is right at the end may have been wrong for a moment.
 */

interface Step {
  readonly before: World;
  readonly now: World;
  readonly change: Change;
  readonly bridge: BridgeView;
}

/** What is wrong with a step; nothing where it is right. */
type Rule = (step: Step) => string | undefined;

const CLIENTS = "told";
const CANARY = "told-canary";

/** A pod that is ready no more and was not told to end: nobody's action. */
const failsByItself = ({ before, now, change }: Step): boolean => {
  if (change.resource !== "pods") return false;
  const [was, is] = [before, now].map((world) => world.get(keyOf(change)) as PodView | undefined);
  return (
    was !== undefined && isReady(was) && !isLeaving(was) && !(is && isLeaving(is)) && !(is && isReady(is))
  );
};

const behind = (world: World, service: string): number =>
  sum(capacityOf(world, selectorOf(world, service)).values());

/** Promise 2: capacity is never lowered below what the weight needs. */
const keepsCapacity: Rule = (step) => {
  const { before, now, bridge } = step;
  if (failsByItself(step)) return undefined;
  const wrong = clientServices(now).flatMap((name) => {
    const [had, has] = [behind(before, name), behind(now, name)];
    const needed = Math.min(bridge.spec.replicas ?? 1, had);
    return has < needed ? [`behind ${name} were ${had} ready pods and are ${has}, fewer than ${needed}`] : [];
  });
  return wrong[0];
};

/** The bridge's own and those that it has taken over. */
const clientServices = (world: World): string[] =>
  servicesIn(world)
    .map(({ metadata }) => metadata.name)
    .filter((name) => !/-(canary|production|baseline)$/.test(name));

/** Part of promise 2: nobody is led where nobody is ready. */
const leadsToReadyPods: Rule = (step) => {
  const { before, now } = step;
  if (failsByItself(step)) return undefined;
  const left = servicesIn(now)
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== CANARY || canaryWeight(now) > 0)
    .filter((name) => behind(before, name) > 0 && behind(now, name) === 0);
  return left.length > 0 ? `no ready pod is behind ${left.join(" and ")} any more` : undefined;
};

/** The weight of the first step, which only a person leaves: there are no metrics to leave it by. A first version has no steps. */
function permittedWeight({ spec, status, command }: BridgeView, revision: string): number {
  const isOrdered = command?.action === "promote" && command.revision === revision;
  if (isOrdered || status.stable === undefined) return 100;
  return spec.rollout?.steps?.[0]?.weight ?? 100;
}

/** Promise 1, router Replicas: pods that are ready give a version no larger share than the step does. Pods of no version were taken over. */
const keepsShare: Rule = ({ before, now, change, bridge }) => {
  if (change.resource !== "services") return undefined;
  const capacity = capacityOf(now, selectorOf(now, CLIENTS));
  const known = capacityOf(before, selectorOf(before, CLIENTS));
  const all = sum(capacity.values());
  const above = [...capacity].filter(
    ([revision, ready]) =>
      revision !== "" &&
      revision !== bridge.status.stable?.revision &&
      (known.get(revision) ?? 0) < ready &&
      (100 * ready) / all > permittedWeight(bridge, revision),
  );
  return above.length > 0
    ? `${above.map(([revision, ready]) => `${revision} gets ${ready} of ${all} pods`).join(", ")}`
    : undefined;
};

const canaryWeight = (world: World): number =>
  Math.max(
    0,
    ...routesIn(world).flatMap(({ spec }) =>
      (spec?.rules ?? []).flatMap(({ backendRefs = [] }) =>
        backendRefs.length > 1
          ? backendRefs.filter(({ name }) => name === CANARY).map(({ weight = 1 }) => weight)
          : [],
      ),
    ),
  );

/** Promise 1, router Gateway: no weight above what the ready pods of the version can take. */
const keepsWeight: Rule = ({ before, now, change, bridge }) => {
  const weight = canaryWeight(now);
  if (change.resource !== "httproutes" || weight <= canaryWeight(before)) return undefined;
  const needed = Math.ceil(((bridge.spec.replicas ?? 1) * weight) / 100);
  const ready = behind(now, CANARY);
  return ready < needed
    ? `the route gives the canary ${weight} %, for which ${ready} of ${needed} pods are ready`
    : undefined;
};

/** Promise 3: what was withdrawn gets no traffic any more. */
const staysWithdrawn: Rule = ({ before, now, bridge }) => {
  const failed = bridge.status.rollout?.failed?.revision;
  if (failed === undefined) return undefined;
  const share = (world: World) => capacityOf(world, selectorOf(world, CLIENTS)).get(failed) ?? 0;
  const isRouted =
    selectorOf(now, CANARY)?.[LABELS.revision] === failed && canaryWeight(now) > canaryWeight(before);
  return share(now) > share(before) || isRouted
    ? `${failed} was withdrawn and gets traffic again`
    : undefined;
};

/** Promise 4: connections that pods may hold, over all revisions, fit into what the backend takes. */
const keepsBudget: Rule = ({ now, bridge }) => {
  const limit = bridge.spec.pools?.postgres?.backendConnections;
  if (limit === undefined) return undefined;
  const perPod = new Map(
    configMapsIn(now).flatMap((map) => {
      const text = map.data?.["runtime.json"];
      if (text === undefined) return [];
      const { postgresConnections } = JSON.parse(text) as { postgresConnections: number };
      const ceiling = Number(map.metadata.annotations?.[ANNOTATIONS.poolCeiling] ?? 0);
      return [[revisionIn(map.metadata.name), Math.max(postgresConnections, ceiling)] as const];
    }),
  );
  const held = sum(podsIn(now).map((pod) => perPod.get(revisionOf(pod)) ?? 0));
  return held > limit ? `pods may hold ${held} connections of ${limit}` : undefined;
};

const revisionIn = (name: string): string => name.replace(`${CLIENTS}-`, "").replace("-runtime", "");

/** Promise 5: nothing is promoted and nothing withdrawn by metrics that are missing. */
const waitsForPeople: Rule = ({ before, now, bridge }) => {
  const was = bridgeIn(before)?.status;
  const is = bridgeIn(now)?.status;
  const { command } = bridge;
  const ordered = (action: string, revision: string) =>
    command?.action === action && command.revision === revision;
  const { stable } = is ?? {};
  if (
    stable &&
    was?.stable &&
    stable.revision !== was.stable.revision &&
    !ordered("promote", stable.revision)
  )
    return `${stable.revision} was promoted by nobody`;
  const failed = is?.rollout?.failed?.revision;
  if (failed !== undefined && failed !== was?.rollout?.failed?.revision && !ordered("abort", failed))
    return `${failed} was withdrawn by nobody`;
  return undefined;
};

/** Promise 6: what people ask for is theirs. */
const leavesTheSpec: Rule = ({ change }) => {
  if (change.resource !== "llmbridges") return undefined;
  const { managedFields = [] } = change.object.metadata as { managedFields?: readonly Managed[] };
  const own = managedFields.filter(({ manager }) => manager.startsWith("llmbridge-operator"));
  return own.some(({ fieldsV1 }) => fieldsV1?.["f:spec"])
    ? "the operator owns a part of the spec"
    : undefined;
};

interface Managed {
  readonly manager: string;
  readonly fieldsV1?: Readonly<Record<string, object>>;
}
/** Promise 7: within what the spec allows. */
const keepsBounds: Rule = ({ now, bridge }) => {
  const { revision = "", desiredWeight = 0 } = bridge.status.canary ?? {};
  const permitted = permittedWeight(bridge, revision);
  if (desiredWeight > permitted) return `${revision} should get ${desiredWeight} %, above ${permitted} %`;
  const most = bridge.spec.workers?.max;
  if (most === undefined) return undefined;
  const above = configMapsIn(now).flatMap(({ data }) => {
    const text = data?.["runtime.json"];
    const count = text === undefined ? 0 : (JSON.parse(text) as { workers: number }).workers;
    return count > most ? [count] : [];
  });
  return above.length > 0 ? `${above[0]} worker threads are above ${most}` : undefined;
};

const PROMISES: readonly Rule[] = [
  keepsCapacity,
  leadsToReadyPods,
  keepsShare,
  keepsWeight,
  staysWithdrawn,
  keepsBudget,
  waitsForPeople,
  leavesTheSpec,
  keepsBounds,
];

/** What was promised and not kept, each thing once, with the change after which it was so first. */
export function brokenIn(changes: readonly Change[]): string[] {
  const found = new Map<string, string>();
  let before: World = new Map();
  for (const change of changes) {
    const now = after(before, change);
    const bridge = bridgeIn(now);
    for (const rule of bridge ? PROMISES : []) {
      const wrong = bridge && rule({ before, now, change, bridge });
      const where = `${keyOf(change)}, version ${change.object.metadata.resourceVersion}`;
      if (wrong !== undefined && !found.has(wrong)) found.set(wrong, `${where}: ${wrong}`);
    }
    before = now;
  }
  return [...found.values()];
}
