import { LABELS } from "../../../contract/kubernetes.ts";
import { ANNOTATIONS } from "../names.ts";

/** How a container last ended, as kubelet tells it. */
export interface Termination {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

/** What of a pod decisions rest on. Kept small: thousands of these are cached. */
export interface ObservedPod {
  readonly name: string;
  readonly uid: string;
  readonly revision: string;
  readonly createdMs: number;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Ended for good (Succeeded or Failed): holds no connection. */
  readonly finished: boolean;
  readonly restarts: number;
  /** Why the container waits: CrashLoopBackOff, ImagePullBackOff, ContainerCreating, CreateContainerConfigError, ... */
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly lastTermination?: Termination;
  /** Why the pod cannot be scheduled. */
  readonly unschedulable?: string;
  readonly deletionCost: number;
  readonly touchedGeneration: number;
  /** The change of a Secret (RFC 3339) that it was touched for last. */
  readonly touchedForSecrets?: string;
}

/** Annotations that are read. */
export const READ_ANNOTATIONS: readonly string[] = [
  ANNOTATIONS.deletionCost,
  ANNOTATIONS.runtimeGeneration,
  ANNOTATIONS.secretsChanged,
];

/** The parts of a v1 Pod that are read; everything else is dropped before caching. */
export interface RawPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: { waiting?: { reason?: string; message?: string }; terminated?: RawTermination };
      readonly lastState?: { terminated?: RawTermination };
    }[];
  };
}

interface RawTermination {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

function termination(raw: RawTermination | undefined): Termination | undefined {
  if (!raw) return undefined;
  return {
    exitCode: raw.exitCode,
    reason: raw.reason ?? "",
    message: (raw.message ?? "").slice(-2000),
  };
}

/** Summary of a pod of a bridge. */
export function observePod(pod: RawPod): ObservedPod {
  const container = pod.status?.containerStatuses?.[0];
  const condition = (type: string) => pod.status?.conditions?.find((one) => one.type === type);
  const waiting = container?.state?.waiting;
  const ended = termination(container?.state?.terminated) ?? termination(container?.lastState?.terminated);
  const scheduled = condition("PodScheduled");
  const phase = pod.status?.phase;
  const touchedForSecrets = pod.metadata.annotations?.[ANNOTATIONS.secretsChanged];
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    revision: pod.metadata.labels?.[LABELS.revision] ?? "",
    createdMs: Date.parse(pod.metadata.creationTimestamp ?? "") || 0,
    ready: condition("Ready")?.status === "True",
    terminating: pod.metadata.deletionTimestamp !== undefined,
    finished: phase === "Succeeded" || phase === "Failed",
    restarts: container?.restartCount ?? 0,
    ...(waiting ? { waiting: { reason: waiting.reason ?? "", message: waiting.message ?? "" } } : {}),
    ...(ended ? { lastTermination: ended } : {}),
    ...(scheduled?.status === "False" ? { unschedulable: scheduled.message ?? "not schedulable" } : {}),
    deletionCost: Number(pod.metadata.annotations?.[ANNOTATIONS.deletionCost] ?? 0) || 0,
    touchedGeneration: Number(pod.metadata.annotations?.[ANNOTATIONS.runtimeGeneration] ?? 0) || 0,
    ...(touchedForSecrets === undefined ? {} : { touchedForSecrets }),
  };
}

/** Thousands of pods are cached, and a whole one is several kilobytes: only what observePod reads is kept. */
export function slimPod({ metadata, status }: RawPod): RawPod {
  const { creationTimestamp, deletionTimestamp } = metadata;
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      ...(creationTimestamp ? { creationTimestamp } : {}),
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      labels: only(metadata.labels, LABELS.bridge, LABELS.revision),
      annotations: only(metadata.annotations, ...READ_ANNOTATIONS),
    },
    status: {
      ...(status?.phase ? { phase: status.phase } : {}),
      conditions: conditionsOf(status),
      containerStatuses: containersOf(status),
    },
  };
}

type Status = NonNullable<RawPod["status"]>;

/** Whether it is ready, and why it has no place. */
function conditionsOf(status: Status | undefined): NonNullable<Status["conditions"]> {
  const told = (status?.conditions ?? []).filter(
    ({ type, status: value }) => type === "Ready" || (type === "PodScheduled" && value === "False"),
  );
  return told.map(({ type, status: value, message }) => ({
    type,
    status: value,
    ...(message ? { message } : {}),
  }));
}

function containersOf(status: Status | undefined): NonNullable<Status["containerStatuses"]> {
  const [container] = status?.containerStatuses ?? [];
  if (!container) return [];
  const { restartCount, state, lastState } = container;
  return [{ restartCount, ...states(state, lastState) }];
}

type ContainerStatus = NonNullable<NonNullable<RawPod["status"]>["containerStatuses"]>[number];

/** Why a container waits, and how it ended; that it runs needs no word. */
function states(
  state: ContainerStatus["state"],
  lastState: ContainerStatus["lastState"],
): Pick<ContainerStatus, "state" | "lastState"> {
  const { waiting, terminated } = state ?? {};
  return {
    ...(waiting || terminated
      ? { state: { ...(waiting && { waiting }), ...(terminated && { terminated }) } }
      : {}),
    ...(lastState?.terminated ? { lastState: { terminated: lastState.terminated } } : {}),
  };
}

function only(
  map: Readonly<Record<string, string>> | undefined,
  ...names: readonly string[]
): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (map?.[name] === undefined ? [] : [[name, map[name]]])));
}
