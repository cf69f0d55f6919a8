import { PORTS } from "../../../contract/endpoints.ts";
import type { ContainerPort, ServicePort } from "./observed.ts";

/** Numbers at which a pod of a bridge listens. */
const LISTENING: readonly number[] = Object.values(PORTS);

/** The number that a port of a Service leads to in pods with these ports; undefined where they have no port of that name. */
export function numberOf(
  { port, targetPort = port }: ServicePort,
  ports: readonly ContainerPort[],
): number | undefined {
  return typeof targetPort === "number"
    ? targetPort
    : ports.find(({ name }) => name === targetPort)?.containerPort;
}

/** Ports of the Service that pods of a bridge could not answer at, each as part of a sentence. */
export function unreachable(service: readonly ServicePort[], pods: readonly ContainerPort[]): string[] {
  return service.flatMap((one) => {
    const number = numberOf(one, pods);
    if (number !== undefined && LISTENING.includes(number)) return [];
    return [
      number === undefined
        ? `port ${one.port} leads to the port named "${one.targetPort}", which the old pods do not have`
        : `port ${one.port} leads to ${number}`,
    ];
  });
}

/**
 * The Service's ports by number, which both versions understand: names of ports are each version's own. Where they lead in the old pods does not change,
 * so their clients notice nothing.
 */
export function byNumber(
  service: readonly ServicePort[],
  pods: readonly ContainerPort[],
): readonly ServicePort[] {
  return service.map((one) => {
    const targetPort = numberOf(one, pods);
    return targetPort === undefined ? one : { ...one, targetPort };
  });
}
