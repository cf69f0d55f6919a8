import { LABELS } from "../../../contract/kubernetes.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { gateJob, gateJobName } from "../desired/gate-job.ts";
import { isFinished, type RawJob } from "../observe/gate-job.ts";
import type { Booked } from "../observe/gates.ts";
import type { ChildObject, Write } from "../plan.ts";

/** What a bridge wants of its Jobs. */
export interface WantedJobs {
  /** Gates of the book that were entered as Jobs. */
  readonly booked: readonly Booked[];
  readonly pod: LLMBridgeSpec["pod"];
  /** Revisions whose finished Jobs stay, for their logs. */
  readonly kept: readonly (string | undefined)[];
}

/**
 * A Job for each gate that is asked and has none. One whose gate is out of the book goes, unless only its logs are left to read, and one that still runs
 * when its gate has got no verdict in time.
 */
export function gateJobWrites({ booked, pod, kept }: WantedJobs, jobs: readonly RawJob[]): Write[] {
  const states = new Map(booked.map(({ entry, question }) => [gateJobName(question), entry.state]));
  const has = (name: string): boolean => jobs.some(({ metadata }) => metadata.name === name);
  const made = booked.flatMap(({ gate, entry, question }): Write | [] => {
    const job = gate?.job;
    if (!job || entry.state !== "Asked" || has(gateJobName(question))) return [];
    return {
      kind: "Create",
      resource: "jobs",
      object: gateJob({ question, job, pod }) as ChildObject,
    };
  });
  const isKept = (job: RawJob): boolean => {
    const state = states.get(job.metadata.name);
    if (!isFinished(job)) return state === "Asked";
    return state !== undefined || kept.includes(job.metadata.labels?.[LABELS.revision] ?? "");
  };
  const deleted = jobs
    .filter((job) => !isKept(job) && !job.metadata.deletionTimestamp)
    .map(({ metadata }): Write => {
      const { name, uid, resourceVersion } = metadata;
      return { kind: "Delete", resource: "jobs", name, uid, resourceVersion };
    });
  return [...deleted, ...made];
}

/** Jobs of gates that wait for their verdict. */
export function askedJobs({ booked }: WantedJobs, jobs: readonly RawJob[]): RawJob[] {
  const asked = new Set(
    booked
      .filter(({ gate, entry }) => gate && entry.state === "Asked")
      .map(({ question }) => gateJobName(question)),
  );
  return jobs.filter(({ metadata }) => asked.has(metadata.name));
}
