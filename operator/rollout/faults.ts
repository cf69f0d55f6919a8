import type { ContainerFault } from "./types.ts";

/** Faults of a version that its containers tell by themselves, faster than any metric. */

/** What is read of a pod. */
export interface FaultPod {
  readonly name: string;
  readonly createdMs: number;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly finished: boolean;
  readonly restarts: number;
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly lastTermination?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly message: string;
  };
  readonly unschedulable?: string;
}

/** Time for a registry's hiccup or a Secret that is written a moment later; kubelet tries two or three times in it. */
const GRACE_MS = 30_000;
/** Restarts that count as a crash loop even where kubelet does not back off, because they are far apart. */
const RESTARTS = 3;

const PULL_FAILS = new Set(["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"]);
const PULL_NEVER = new Set(["InvalidImageName", "ErrImageNeverPull"]);
const CONFIG_FAILS = new Set(["CreateContainerConfigError", "CreateContainerError"]);

/** V8's last words when the heap is full. */
const HEAP_FATAL = /FATAL ERROR:[^\n]*(heap|memory|allocation)[^\n]*/i;
/** Node's refusal of a flag, from the command line or NODE_OPTIONS. */
const NODE_REFUSES = /^[^\n]*(NODE_OPTIONS|bad option|invalid value for|requires an argument)[^\n]*/im;

/** Faults of the pods of one revision. Pods that are ending are not judged: they were told to end. */
export function faultsOf(pods: readonly FaultPod[]): ContainerFault[] {
  return pods
    .filter((pod) => !pod.terminating && !pod.finished)
    .map(
      (pod) =>
        waitingFault(pod) ?? endedFault(pod) ?? loopFault(pod) ?? placeFault(pod) ?? creationFault(pod),
    )
    .filter((fault) => fault !== undefined);
}

function waitingFault({ name, waiting, createdMs }: FaultPod): ContainerFault | undefined {
  if (!waiting) return undefined;
  const said = lastWords(waiting.message) || waiting.reason;
  if (PULL_FAILS.has(waiting.reason) || PULL_NEVER.has(waiting.reason)) {
    const decisiveAtMs = PULL_NEVER.has(waiting.reason) ? createdMs : createdMs + GRACE_MS;
    return { reason: "ImagePull", pod: name, message: pullFails(waiting), decisiveAtMs };
  }
  if (CONFIG_FAILS.has(waiting.reason)) {
    const message = `the container cannot be made from its configuration: ${said}`;
    return { reason: "ConfigError", pod: name, message, decisiveAtMs: createdMs + GRACE_MS };
  }
  return undefined;
}

/** What kubelet and containerd put before the cause, one around the other, each with the image's name again. */
const AROUND_THE_CAUSE =
  /^(rpc error: code = \w+ desc = |(Back-off pulling image "[^"]*"|ErrImagePull|failed to pull and unpack image "[^"]*"|failed to resolve reference "[^"]*"|failed to do request): )/;

function pullFails({ reason, message }: NonNullable<FaultPod["waiting"]>): string {
  const image = /image "([^"]+)"/.exec(message)?.[1];
  let cause = `${message.trim().replaceAll("\n", " ")}: `;
  while (AROUND_THE_CAUSE.test(cause)) cause = cause.replace(AROUND_THE_CAUSE, "");
  return `the image${image === undefined ? "" : ` ${image}`} cannot be pulled: ${brief(cause.slice(0, -2)) || reason}`;
}

/**
 * Ends that say by themselves what is wrong, at their first occurrence. What has happened is decisive: when, kubelet tells by the clock of its node,
 * and where that is fast nobody must wait for it.
 */
function endedFault({
  name,
  lastTermination: end,
  createdMs: decisiveAtMs,
}: FaultPod): ContainerFault | undefined {
  if (!end) return undefined;
  if (end.reason === "OOMKilled") {
    const message = `the kernel killed the container at its memory limit (exit ${end.exitCode})`;
    return { reason: "OOMKilled", pod: name, message, decisiveAtMs };
  }
  const fatal = HEAP_FATAL.exec(end.message)?.[0];
  if (fatal !== undefined && end.exitCode !== 0) {
    const message = `Node ran out of heap (exit ${end.exitCode}): ${brief(fatal)}`;
    return { reason: "HeapExhausted", pod: name, message, decisiveAtMs };
  }
  const refusal = NODE_REFUSES.exec(end.message)?.[0];
  if (end.exitCode === 9 && (refusal !== undefined || end.message.trim() === "")) {
    const message = `Node refused its options (exit 9)${refusal === undefined ? "" : `: ${brief(refusal)}`}`;
    return { reason: "BadNodeOptions", pod: name, message, decisiveAtMs };
  }
  return undefined;
}

function loopFault({
  name,
  waiting,
  restarts,
  lastTermination: end,
  createdMs,
}: FaultPod): ContainerFault | undefined {
  if (waiting?.reason !== "CrashLoopBackOff" && restarts < RESTARTS) return undefined;
  const how = end ? ` with exit ${end.exitCode}${exitName(end.exitCode)}` : "";
  const said = end ? lastWords(end.message) : "";
  const message = `the container ends again and again${how}${said === "" ? "" : `: ${said}`}`;
  return { reason: "CrashLoop", pod: name, message, decisiveAtMs: createdMs };
}

/** No room in the cluster says nothing about the version; it only explains why a pod is not ready. */
function placeFault({ name, unschedulable }: FaultPod): ContainerFault | undefined {
  if (unschedulable === undefined) return undefined;
  const message = `the pod cannot be scheduled: ${lastWords(unschedulable)}`;
  return { reason: "Unschedulable", pod: name, message, decisiveAtMs: Number.POSITIVE_INFINITY };
}

/** Nor does a sandbox or a volume that comes late. */
function creationFault({ name, waiting }: FaultPod): ContainerFault | undefined {
  if (waiting?.reason !== "ContainerCreating" || waiting.message === "") return undefined;
  const message = `the container is not created yet: ${lastWords(waiting.message)}`;
  return { reason: "NotCreated", pod: name, message, decisiveAtMs: Number.POSITIVE_INFINITY };
}

/** The fault as a part of a sentence. */
export const faultText = ({ pod, message }: ContainerFault): string =>
  pod === undefined ? message : `pod ${pod}: ${message}`;

/** Pods that the API server does not let come into being, as their Deployment tells it: no fault of the version either. */
export function refusedPods(refusal: string | undefined): ContainerFault[] {
  if (refusal === undefined) return [];
  const message = `its pods are refused: ${lastWords(refusal)}`;
  return [{ reason: "PodsRefused", pod: undefined, message, decisiveAtMs: Number.POSITIVE_INFINITY }];
}

function exitName(code: number): string {
  if (code === 139) return " (segmentation fault)";
  if (code === 134) return " (abort)";
  if (code === 137) return " (killed)";
  if (code === 143) return " (told to end)";
  return "";
}

/** The last line that says something: what a program writes before it ends. Without its full stop, since it ends a sentence of ours. */
function lastWords(message: string): string {
  const line = message
    .split("\n")
    .map((one) => one.trim())
    .findLast((one) => one !== "" && !/^(Node\.js v|at |\})/.test(one));
  return brief((line ?? "").replace(/\.+$/, ""));
}

const brief = (text: string): string => (text.length > 200 ? `${text.slice(0, 197)}...` : text);
