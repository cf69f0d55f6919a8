import { plain } from "../../gates/verdict.ts";
import { dropManagedFields } from "../../kube/informer.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { GateAnswer } from "../../rollout/gates/answer.ts";

/** A Job as the API server has it, of which nothing else is kept. */
export interface RawJob extends KubeObject {
  readonly status?: {
    readonly ready?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

export function slimJob(object: RawJob): RawJob {
  const { apiVersion, kind, metadata, status } = dropManagedFields(object);
  const { ready = 0, conditions = [] } = status ?? {};
  return { apiVersion, kind, metadata, status: { ready, conditions } } as RawJob;
}

/** A pod of a Job, as far as it tells how it does. */
export interface GatePod extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly terminated?: {
          readonly exitCode: number;
          readonly reason?: string;
          readonly message?: string;
        };
      };
    }[];
  };
}

const conditionOf = ({ status }: RawJob, type: string) =>
  status?.conditions?.find((one) => one.type === type && one.status === "True");

export const isFinished = (job: RawJob): boolean =>
  conditionOf(job, "Complete") !== undefined || conditionOf(job, "Failed") !== undefined;

/**
 * What a Job has come to.
 * @param words from `lastWords`
 */
export function jobAnswer(job: RawJob, words: string): Pick<GateAnswer, "kind" | "message"> {
  const { name } = job.metadata;
  const because = words === "" ? "" : `: ${words}`;
  if (conditionOf(job, "Complete")) return { kind: "Passed", message: `Job ${name} succeeded${because}` };
  const failed = conditionOf(job, "Failed");
  // None is given to it here; somebody's policy may.
  if (failed?.reason === "DeadlineExceeded")
    return { kind: "NoData", message: `Job ${name} did not end by its deadline${because}` };
  if (failed) return { kind: "Failed", message: `Job ${name} failed${because}` };
  return {
    kind: "Waiting",
    message: `Job ${name} ${isStarting(job) ? "has not started yet" : "runs"}${because}`,
  };
}

/** No pod of it runs, as far as is known. */
export const isStarting = (job: RawJob): boolean => !isFinished(job) && (job.status?.ready ?? 0) === 0;

/** Why the newest pod of a Job does not start, or what its container left behind when it ended. */
export function lastWords(pods: readonly GatePod[]): string {
  const newest = [...pods].sort(byAge).at(-1);
  const { waiting, terminated } = newest?.status?.containerStatuses?.[0]?.state ?? {};
  if (terminated) {
    const { exitCode, reason, message } = terminated;
    const end =
      exitCode === 0 ? "" : `exit code ${exitCode}${reason && reason !== "Error" ? ` (${reason})` : ""}`;
    return [end, lastLine(message ?? "")].filter((part) => part !== "").join(", ");
  }
  if (waiting?.reason && waiting.reason !== "ContainerCreating")
    return plain([waiting.reason, waiting.message].filter(Boolean).join(", "));
  const unplaced = newest?.status?.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  return plain(unplaced?.message ?? "");
}

const byAge = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "");

const lastLine = (text: string): string => plain(text.trim().split("\n").at(-1) ?? "");
