import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { type BridgeRef, childLabels } from "../names.ts";
import { isOurs, type OldService, type TakenNames, type TakenObjects } from "./observed.ts";
import { unreachable } from "./ports.ts";

/** Why it is not taken over. */
export type TakeOverReason =
  | "TakeOverMissing"
  | "TakeOverOwned"
  | "TakeOverTaken"
  | "TakeOverAutoscaled"
  | "TakeOverNotReady"
  | "TakeOverReplicas"
  | "TakeOverService"
  | "TakeOverPorts"
  | "TakeOverForbidden"
  | "TakeOverRemoved";

export interface TakeOverObjection {
  readonly reason: TakeOverReason;
  readonly message: string;
}

interface Question {
  readonly bridge: BridgeRef;
  readonly names: TakenNames;
  readonly spec: LLMBridgeSpec;
  readonly seen: TakenObjects;
}

type Policy = (question: Question) => TakeOverObjection | undefined;

const because = (
  reason: TakeOverReason,
  field: "deployment" | "services",
  message: string,
): TakeOverObjection => ({
  reason,
  message: `spec.takeOver.${field}: ${message}`,
});

const missing: Policy = ({ seen, names, bridge: { namespace } }) => {
  if (!seen.deployment || seen.deployment.isEnding)
    return because(
      "TakeOverMissing",
      "deployment",
      `there is no Deployment "${names.deployment}" in namespace ${namespace}; correct the name, or delete the bridge and make it without takeOver.`,
    );
  const gone = names.services.find((name) => seen.services.every((one) => one.name !== name));
  if (gone === undefined) return undefined;
  return because(
    "TakeOverMissing",
    "services",
    `there is no Service "${gone}" in namespace ${namespace}; correct the name, or leave it out.`,
  );
};

const owned: Policy = ({ seen: { deployment, services } }) => {
  if (deployment?.owner !== undefined)
    return because(
      "TakeOverOwned",
      "deployment",
      `Deployment "${deployment.name}" belongs to ${deployment.owner}, which would scale it as it likes; take it out of that controller's hands first.`,
    );
  const service = services.find(({ owner }) => owner !== undefined);
  if (!service) return undefined;
  return because(
    "TakeOverOwned",
    "services",
    `Service "${service.name}" belongs to ${service.owner}, which would change its selector back; leave it out, and lead clients to the bridge's own Service.`,
  );
};

const taken: Policy = ({ seen: { deployment, services }, bridge }) => {
  for (const [field, kind, object] of [
    ["deployment", "Deployment", deployment] as const,
    ...services.map((service) => ["services", "Service", service] as const),
  ]) {
    if (!object?.note || isOurs(object.note, bridge)) continue;
    const message = `${kind} "${object.name}" is taken over by LLMBridge "${object.note.bridge}"; delete that one first, or where there is none any more, remove the annotation llmbridge.dev/taken-over-by from it.`;
    return because("TakeOverTaken", field, message);
  }
  return undefined;
};

const autoscaled: Policy = ({ seen: { autoscalers, deployment } }) =>
  autoscalers.length === 0
    ? undefined
    : because(
        "TakeOverAutoscaled",
        "deployment",
        `HorizontalPodAutoscaler "${autoscalers[0]}" scales Deployment "${deployment?.name}" and would bring its pods back; delete it (\`kubectl delete hpa ${autoscalers[0]}\`): spec.scaling takes its part, in mode External also an autoscaler on the scale of the LLMBridge.`,
      );

const notReady: Policy = ({ seen: { deployment, pods } }) => {
  if (!deployment) return undefined;
  if (!deployment.isSettled)
    return because(
      "TakeOverNotReady",
      "deployment",
      `Deployment "${deployment.name}" is being rolled out; the take-over begins when all of its pods are of one template.`,
    );
  return deployment.replicas > 0 && pods.some(({ isServing }) => isServing)
    ? undefined
    : because(
        "TakeOverNotReady",
        "deployment",
        `Deployment "${deployment.name}" has no ready pod, so there is nothing to take over; mend it, or delete the bridge and make it without takeOver.`,
      );
};

const replicas: Policy = ({ seen: { deployment }, spec }) => {
  const have = deployment?.replicas ?? 0;
  const isManaged = spec.scaling.mode === "Managed";
  const most = isManaged ? spec.scaling.maxReplicas : spec.replicas;
  if (most >= have) return undefined;
  const field = isManaged ? "spec.scaling.maxReplicas" : "spec.replicas";
  return because(
    "TakeOverReplicas",
    "deployment",
    `Deployment "${deployment?.name}" has ${have} pods, and ${field} ${most} would take some away before anything is proved; set it to ${have} or more.`,
  );
};

const selecting: Policy = (question) => {
  for (const service of question.seen.services) {
    const objection = toService(question, service);
    if (objection) return objection;
  }
  return undefined;
};

function toService(
  { seen: { deployment }, spec, bridge }: Question,
  service: OldService,
): TakeOverObjection | undefined {
  if (!deployment) return undefined;
  const { selector } = service.before ?? service;
  const entries = Object.entries(selector);
  if (service.type === "ExternalName" || entries.length === 0)
    return because("TakeOverService", "services", `Service "${service.name}" selects no pods; leave it out.`);
  const matches = (labels: Readonly<Record<string, string>>) =>
    entries.every(([key, value]) => labels[key] === value);
  if (!matches(deployment.templateLabels))
    return because(
      "TakeOverService",
      "services",
      `Service "${service.name}" does not select the pods of Deployment "${deployment.name}"; name the one that does, or leave it out.`,
    );
  if (matches({ ...spec.pod.labels, ...childLabels(bridge.name, "bridge") }))
    return because(
      "TakeOverService",
      "services",
      `pods of the bridge would carry all that Service "${service.name}" selects (${entries.map(([key, value]) => `${key}=${value}`).join(",")}) and enter it before their weight; leave one of these labels out of spec.pod.labels, or give the bridge another name.`,
    );
  const wrong = unreachable((service.before ?? service).ports, deployment.ports);
  if (wrong.length === 0) return undefined;
  return because(
    "TakeOverPorts",
    "services",
    `of Service "${service.name}" ${wrong.join(" and ")}, but pods of a bridge listen on 8080 (requests) and 9464 (health, metrics), and one Service leads to one number: have the old pods listen on 8080 first, or leave it out and lead clients to Service "${bridge.name}" yourself.`,
  );
}

/** Ordered: the first that objects is the answer. */
const POLICIES: readonly Policy[] = [missing, owned, taken, autoscaled, notReady, replicas, selecting];

/** Why the take-over does not begin, if it does not. Once it has begun nothing of this is asked again. */
export function objectionTo(question: Question): TakeOverObjection | undefined {
  for (const policy of POLICIES) {
    const objection = policy(question);
    if (objection) return objection;
  }
  return undefined;
}
