import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { childLabels } from "../../bridges/names.ts";
import { environment, environmentFrom } from "./environment.ts";
import { files } from "./files.ts";
import { leftOut, leftOutOfRollout } from "./left-out.ts";
import type { OldContainer, OldRollout, OldTemplate, TextMap } from "./old-pod.ts";
import { carried, carriedMap, type Note, refusalOf } from "./parts.ts";
import { sizes } from "./sizes.ts";
import { backends } from "./upstreams.ts";

export interface OldObjects {
  readonly name: string;
  readonly replicas: number;
  readonly template: OldTemplate;
  readonly rollout: OldRollout;
  /** To take over. */
  readonly services: readonly {
    readonly name: string;
    readonly selector: TextMap;
    readonly targetPorts: readonly (string | number)[];
  }[];
  /** Of the HorizontalPodAutoscaler that scales it, if one does. */
  readonly autoscaler: { readonly minReplicas: number; readonly maxReplicas: number } | undefined;
}

export interface Translation {
  readonly spec: LLMBridgeSpecInput;
  readonly notes: readonly Note[];
}

/**
 * The LLMBridge that runs what a Deployment runs and takes it over. Pure. What the resource would refuse is in the notes, in the words of its own rules,
 * and never in the spec; but for `upstreams`, which nobody can guess where no variable tells of them.
 */
export function translated(old: OldObjects, bridge: string): Translation {
  const { spec: pod } = old.template;
  const container = servingContainer(old);
  const env = environment(container);
  const from = environmentFrom(container);
  const mounts = files(pod, container);
  const { resources, notes: sizeNotes } = sizes(container);
  const known = backends(env.parts);
  const shape = podShape(old, bridge);
  const pods = pruned({
    ...shape.pod,
    env: env.parts,
    envFrom: from.parts,
    mounts: mounts.parts,
  });
  const { image = "" } = container;
  const imageRefusal = refusalOf({ image });
  const spec = pruned({
    image,
    imagePullPolicy: container.imagePullPolicy === "IfNotPresent" ? undefined : container.imagePullPolicy,
    ...replicasOf(old),
    resources: pruned(resources),
    upstreams: known.upstreams,
    ...known.spec,
    pod: pods,
    rollout: { analysis: { gates: [{ name: "own-errors", metric: "ErrorShare", below: "1%" }] } },
    takeOver: pruned({ deployment: old.name, services: old.services.map(({ name }) => name) }),
  }) as unknown as LLMBridgeSpecInput;
  return {
    spec,
    notes: [
      ...(imageRefusal === undefined ? [] : [{ about: "image", message: imageRefusal }]),
      ...known.notes,
      ...env.notes,
      ...from.notes,
      ...sizeNotes,
      ...mounts.notes,
      ...shape.notes,
      ...leftOut(pod, container),
      ...leftOutOfRollout(old.rollout),
    ],
  };
}

/** The container that a Service leads to, or else the first. */
function servingContainer({ template, services }: OldObjects): OldContainer {
  const { containers } = template.spec;
  const leadsTo = ({ ports = [] }: OldContainer) =>
    ports.some(({ name, containerPort }) =>
      services.some(({ targetPorts }) =>
        targetPorts.some((target) => target === name || target === containerPort),
      ),
    );
  return containers.find(leadsTo) ?? (containers[0] as OldContainer);
}

/** Where and how pods run. */
function podShape(
  { template, services }: OldObjects,
  bridge: string,
): { readonly pod: object; readonly notes: readonly Note[] } {
  const { spec: pod, metadata = {} } = template;
  const labels = carriedMap(metadata.labels ?? {}, (map) => ({ pod: { labels: map } }), "label");
  const kept = withoutAllSelected(labels.map, services, bridge);
  const annotations = carriedMap(
    metadata.annotations ?? {},
    (map) => ({ pod: { annotations: map } }),
    "annotation",
  );
  const nodes = carriedMap(pod.nodeSelector ?? {}, (map) => ({ pod: { nodeSelector: map } }), "nodeSelector");
  const tolerations = carried(
    pod.tolerations ?? [],
    (one) => ({ pod: { tolerations: [one] } }),
    (one) => `toleration ${JSON.stringify(one)}`,
  );
  const secrets = carried(
    pod.imagePullSecrets ?? [],
    (one) => ({ pod: { imagePullSecrets: [one] } }),
    ({ name }) => `imagePullSecret ${name ?? ""}`,
  );
  return {
    pod: {
      labels: kept.map,
      annotations: annotations.map,
      nodeSelector: nodes.map,
      tolerations: tolerations.parts,
      imagePullSecrets: secrets.parts,
      priorityClassName: pod.priorityClassName,
    },
    notes: [labels, kept, annotations, nodes, tolerations, secrets].flatMap(({ notes }) => notes),
  };
}

function withoutAllSelected(
  labels: TextMap,
  services: OldObjects["services"],
  bridge: string,
): { readonly map: TextMap; readonly notes: readonly Note[] } {
  return services.reduce(
    (before, { selector }) => {
      const { map, notes } = withoutSelected(before.map, selector, bridge);
      return { map, notes: [...before.notes, ...notes] };
    },
    { map: labels, notes: [] as readonly Note[] },
  );
}

/** Pods that carried all that the old Service selects would enter it before their weight: one label is left out. */
function withoutSelected(
  labels: TextMap,
  selector: TextMap,
  bridge: string,
): { readonly map: TextMap; readonly notes: readonly Note[] } {
  const all: TextMap = { ...labels, ...childLabels(bridge, "bridge") };
  const entries = Object.entries(selector);
  const [key] = entries.map(([name]) => name).filter((name) => name in labels);
  if (entries.length === 0 || key === undefined || !entries.every(([name, value]) => all[name] === value))
    return { map: labels, notes: [] };
  const { [key]: _, ...map } = labels;
  const message =
    "it is left out, since a Service that is taken over selects by it and new pods would enter it before their weight. Network policies, disruption budgets and dashboards that select it do not see pods of the bridge: have them select llmbridge.dev/bridge.";
  return { map, notes: [{ about: `label ${key}`, message }] };
}

function replicasOf({ replicas, autoscaler }: OldObjects): object {
  if (autoscaler) {
    const { minReplicas, maxReplicas } = autoscaler;
    return { scaling: { minReplicas, maxReplicas: Math.max(maxReplicas, replicas, minReplicas) } };
  }
  return { replicas, scaling: { mode: "Fixed" } };
}

/** Without members that say nothing. */
function pruned<T extends object>(object: T): Partial<T> {
  const says = (value: unknown) =>
    value !== undefined && (typeof value !== "object" || value === null || Object.keys(value).length > 0);
  return Object.fromEntries(Object.entries(object).filter(([, value]) => says(value))) as Partial<T>;
}
