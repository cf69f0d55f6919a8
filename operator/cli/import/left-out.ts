import { isDeepStrictEqual } from "node:util";
import type { OldContainer, OldPodSpec, OldRollout } from "./old-pod.ts";
import type { Note } from "./parts.ts";

/** Fields that the operator decides about, and what to write instead, if anything. Those that are carried, or say nothing, are not in here. */
const POD: Readonly<Record<string, string>> = {
  affinity:
    "it is not carried: pods are spread over nodes; use spec.pod.nodeSelector and tolerations to choose nodes.",
  topologySpreadConstraints: "it is not carried: pods of each version are spread over nodes by hostname.",
  securityContext:
    "pods run as user 65532, not as root, with the runtime's seccomp profile; nothing is to be written.",
  hostNetwork: "pods of a bridge have a network of their own; leave it out.",
  hostPID: "pods of a bridge see no processes of the node; leave it out.",
  hostIPC: "pods of a bridge share no memory with the node; leave it out.",
  hostAliases: "it is not carried; have the names resolved by DNS.",
  dnsConfig: "it is not carried; pods resolve names as the cluster does.",
  runtimeClassName: "it is not carried; pods run in the default runtime.",
  shareProcessNamespace: "pods of a bridge have one container; leave it out.",
  readinessGates: "it is not carried; pods are ready when the bridge says so.",
  resourceClaims: "it is not carried.",
  subdomain: "it is not carried.",
  hostname: "it is not carried.",
};

const CONTAINER: Readonly<Record<string, string>> = {
  command: "it is not carried: the image's own entry point is run; build it into the image.",
  args: "it is not carried: the image's own entry point is run; build it into the image.",
  workingDir: "it is not carried; build it into the image.",
  livenessProbe: "the operator asks /livez on port 9464 of every pod; nothing is to be written.",
  readinessProbe: "the operator asks /readyz on port 9464 of every pod; nothing is to be written.",
  startupProbe: "the operator allows a start-up of 60 s; nothing is to be written.",
  lifecycle:
    "it is not carried: a pod that is told to end drains by itself, for as long as its requests may take.",
  securityContext: "containers have a read-only root and no capabilities; /tmp can be written.",
  volumeDevices: "it is not carried.",
  stdin: "it is not carried.",
  tty: "it is not carried.",
};

/** A field that every stored object has: said where the value is not the one that says nothing. */
interface Quiet {
  readonly usual: unknown;
  readonly message: string;
}

const QUIET: Readonly<Record<string, Quiet>> = {
  dnsPolicy: { usual: "ClusterFirst", message: "it is not carried." },
  schedulerName: { usual: "default-scheduler", message: "it is not carried." },
  terminationGracePeriodSeconds: {
    usual: 30,
    message:
      "it is not carried: pods of a bridge drain for as long as their requests may take, which is reckoned from spec.upstreams[].timeouts and 120 s for a stream.",
  },
};

/** Of the Deployment itself. */
const ROLLOUT: Readonly<Record<string, Quiet>> = {
  strategy: {
    usual: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    message:
      "it is not carried: versions of a bridge run side by side until the new one has all of the traffic; spec.rollout says how.",
  },
  minReadySeconds: {
    usual: 0,
    message: "it is not carried; write spec.rollout.steps, each with the hold that it needs.",
  },
  progressDeadlineSeconds: {
    usual: 600,
    message: "it is not carried; write spec.rollout.progressDeadline (15m unless you say so).",
  },
  revisionHistoryLimit: {
    usual: 10,
    message: "it is not carried; write spec.rollout.revisionHistoryLimit (5 unless you say so).",
  },
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  JSON.stringify(value) === "{}" ||
  JSON.stringify(value) === "[]";

function fieldNotes(
  object: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, string>>,
): Note[] {
  return Object.entries(table).flatMap(([about, message]) =>
    isEmpty(object[about]) ? [] : [{ about, message }],
  );
}

function quietNotes(
  object: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, Quiet>>,
): Note[] {
  return Object.entries(table).flatMap(([about, { usual, message }]) =>
    isEmpty(object[about]) || isDeepStrictEqual(object[about], usual) ? [] : [{ about, message }],
  );
}

/** How the Deployment rolls out, which is for the bridge to do from now on. */
export const leftOutOfRollout = (deployment: OldRollout): Note[] => quietNotes(deployment, ROLLOUT);

/** What stands in the pod template and has no place in the resource. */
export function leftOut(pod: OldPodSpec, container: OldContainer): Note[] {
  return [
    ...pod.containers
      .filter(({ name }) => name !== container.name)
      .map(({ name }) => ({
        about: `container ${name}`,
        message: `pods of a bridge have one container. Run "${name}" as a Deployment of its own, or do without: metrics, health and draining are the bridge's own.`,
      })),
    ...(pod.initContainers ?? []).map(({ name }) => ({
      about: `initContainer ${name}`,
      message: `it is not carried. What "${name}" prepares belongs into the image, a ConfigMap or a Secret (spec.pod.mounts).`,
    })),
    ...serviceAccount(pod),
    ...fieldNotes(pod, POD),
    ...quietNotes(pod, QUIET),
    ...fieldNotes(container, CONTAINER),
  ];
}

function serviceAccount({ serviceAccountName }: OldPodSpec): Note[] {
  if (serviceAccountName === undefined || serviceAccountName === "default") return [];
  return [
    {
      about: "serviceAccountName",
      message: `pods of a bridge have a ServiceAccount of the bridge's name and no token; rights and cloud identities of "${serviceAccountName}" are not carried.`,
    },
  ];
}
