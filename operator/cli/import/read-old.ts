import { NAME_MAX_LENGTH } from "../../api/v1alpha1/llmbridge.ts";
import { canaryService, productionService } from "../../bridges/names.ts";
import type { TakenObjects } from "../../bridges/take-over/observed.ts";
import { unreachable } from "../../bridges/take-over/ports.ts";
import { type RawDeployment, readTakeOver, scales } from "../../bridges/take-over/read.ts";
import { isForbidden, isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type Resource, resources } from "../../kube/resources.ts";
import type { Connection } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import type { OldRollout, OldTemplate, TextMap } from "./old-pod.ts";
import type { Note } from "./parts.ts";
import type { OldObjects } from "./translate.ts";

type Deployment = RawDeployment & { readonly spec: OldRollout & { readonly template: OldTemplate } };

interface Service extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly selector?: TextMap;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: string | number }[];
  };
}

interface Autoscaler extends KubeObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
  };
}

/** What there is to take over, and what the bridge is called. */
export interface OldThings {
  readonly objects: OldObjects;
  /** The same as the operator sees it. */
  readonly seen: TakenObjects;
  readonly bridgeName: string;
  readonly notes: readonly Note[];
}

/**
 * Reads the Deployment, the Services that select its pods, its autoscaler, and whether the names that the bridge's children would have are free.
 * @throws CliFailure where there is no such Deployment or Service
 */
export async function readOld(
  connection: Connection,
  name: string,
  asked: { readonly services: readonly string[]; readonly bridgeName: string | undefined },
): Promise<OldThings> {
  const { client, namespace } = connection;
  const deployment = await getIfThere<Deployment>(connection, resources.deployments, name);
  if (!deployment)
    throw new CliFailure(
      `there is no Deployment ${name} in namespace ${namespace}; \`kubectl get deployments -A\` lists all.`,
    );
  const labels = deployment.spec.template.metadata?.labels ?? {};
  const all = await servicesOf(connection, labels, asked.services);
  const autoscalers = await client.list<Autoscaler>(resources.horizontalPodAutoscalers, { namespace });
  const { bridgeName, notes } = await nameOf(connection, asked.bridgeName, name, all.map(nameOfObject));
  const bridge = { namespace, name: bridgeName, uid: "" };
  const ports = deployment.spec.template.spec.containers.flatMap((one) => one.ports ?? []);
  const wrong = (service: Service) => unreachable(service.spec.ports ?? [], ports);
  const services = all.filter((one) => wrong(one).length === 0);
  const names = { deployment: name, services: services.map(nameOfObject) };
  const seen = await readTakeOver(client, bridge, names, []);
  if (seen.kind === "Forbidden") throw new CliFailure(`you may not do this: ${seen.message}`);
  const autoscaler = autoscalers.find(scales(name))?.spec;
  return {
    objects: {
      name,
      replicas: deployment.spec.replicas ?? 1,
      template: deployment.spec.template,
      rollout: deployment.spec,
      services: services.map(({ metadata, spec }) => ({
        name: metadata.name,
        selector: spec.selector ?? {},
        targetPorts: (spec.ports ?? []).map(({ port, targetPort = port }) => targetPort),
      })),
      autoscaler: autoscaler && {
        minReplicas: autoscaler.minReplicas ?? 1,
        maxReplicas: autoscaler.maxReplicas ?? autoscaler.minReplicas ?? 1,
      },
    },
    seen,
    bridgeName,
    notes: [
      ...notes,
      ...deployedFrom(seen.deployment?.deployedBy),
      ...all
        .filter((one) => !services.includes(one))
        .map((one) => otherPorts(one.metadata.name, bridgeName, wrong(one))),
    ],
  };
}

/** Said before it is done: what is written elsewhere comes back. */
function deployedFrom(source: string | undefined): Note[] {
  if (source === undefined) return [];
  const message = `${source} deployed it, and applying that again scales it again: set its replicas to 0 there once the bridge has taken over, and take it out of there in the end.`;
  return [{ about: "replicas", message }];
}

const otherPorts = (service: string, bridge: string, wrong: readonly string[]): Note => ({
  about: `Service ${service}`,
  message: `${wrong.join(" and ")}, and pods of a bridge listen on 8080 (requests) and 9464 (health, metrics): one Service leads to one number, so it is not taken over. Lead clients to Service "${bridge}", or have the old pods listen on 8080 first.`,
});

const nameOfObject = ({ metadata }: KubeObject): string => metadata.name;

/** The Services that were named, or else all that select the pods. */
async function servicesOf(
  connection: Connection,
  labels: TextMap,
  asked: readonly string[],
): Promise<readonly Service[]> {
  const { client, namespace } = connection;
  if (asked.length > 0)
    return Promise.all(
      asked.map(async (name) => {
        const found = await getIfThere<Service>(connection, resources.services, name);
        if (found) return found;
        throw new CliFailure(`there is no Service ${name} in namespace ${namespace}.`);
      }),
    );
  const services = await client.list<Service>(resources.services, { namespace });
  return services.filter(({ spec: { selector = {}, type } }) => {
    const entries = Object.entries(selector);
    return (
      type !== "ExternalName" && entries.length > 0 && entries.every(([key, value]) => labels[key] === value)
    );
  });
}

/** Kinds whose objects of the bridge's name the operator makes. */
const CHILDREN = [
  resources.serviceAccounts,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
] as const;

/** The Deployment's own name where the bridge's children may have it, and else one beside it. */
async function nameOf(
  connection: Connection,
  asked: string | undefined,
  deployment: string,
  services: readonly string[],
): Promise<{ readonly bridgeName: string; readonly notes: readonly Note[] }> {
  if (asked !== undefined) return { bridgeName: asked, notes: [] };
  const taken = await takenNames(connection, deployment, services);
  if (taken.length === 0) return { bridgeName: deployment, notes: [] };
  const bridgeName = `${deployment.slice(0, NAME_MAX_LENGTH - "-bridge".length)}-bridge`;
  const message = `the bridge is called ${bridgeName}, since there is ${taken.join(" and ")} already, and its children would have that name; --name gives it another.`;
  return { bridgeName, notes: [{ about: "name", message }] };
}

async function takenNames(
  connection: Connection,
  name: string,
  takenOver: readonly string[],
): Promise<readonly string[]> {
  const services = [name, productionService(name), canaryService(name)].filter(
    (one) => !takenOver.includes(one),
  );
  const asked = [
    ...CHILDREN.map((resource) => ({ resource, name })),
    ...services.map((one) => ({ resource: resources.services as Resource, name: one })),
  ];
  const found = await Promise.all(
    asked.map(async ({ resource, name: one }) => {
      const object = await getIfThere(connection, resource, one).catch((error: unknown) => {
        // Whoever may not look is told by the operator.
        if (isForbidden(error)) return undefined;
        throw error;
      });
      return object ? [`${resource.kind} "${one}"`] : [];
    }),
  );
  return found.flat();
}

async function getIfThere<T extends KubeObject>(
  { client, namespace }: Connection,
  resource: Resource,
  name: string,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, namespace, name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
