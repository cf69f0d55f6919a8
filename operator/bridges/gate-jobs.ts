import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { KubeClient } from "../kube/client.ts";
import { type Clock, systemClock } from "../kube/clock.ts";
import { createController, type ReconcileContext, type ReconcileResult } from "../kube/controller.ts";
import type { Informer } from "../kube/informer.ts";
import type { Log } from "../kube/log.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { controllerOf, formatKey, type KubeObject, type ObjectKey } from "../kube/object.ts";
import { createOptionalApis } from "../kube/optional-apis.ts";
import { createOwnWrites } from "../kube/own-writes.ts";
import type { AddOptions } from "../kube/queue.ts";
import { resources } from "../kube/resources.ts";
import type { GateAnswer } from "../rollout/gates/answer.ts";
import type { AdministratorSettings } from "../settings/file.ts";
import type { SettingsFile } from "../settings/watch.ts";
import { apply } from "./apply.ts";
import { OWNED, ofBridge } from "./caches.ts";
import { sameJson } from "./canonical.ts";
import { type Contests, createContests } from "./contest.ts";
import { isShownBy } from "./create-child.ts";
import { askedJobs, gateJobWrites, type WantedJobs } from "./decide/gate-jobs.ts";
import { gateJobName } from "./desired/gate-job.ts";
import type { BridgeRef } from "./names.ts";
import {
  type GatePod,
  isFinished,
  isStarting,
  jobAnswer,
  lastWords,
  type RawJob,
  slimJob,
} from "./observe/gate-job.ts";
import type { Booked } from "./observe/gates.ts";
import { problemOf } from "./problem.ts";
import { childFacts, watchOwned } from "./triggers.ts";
import { runWhileWanted } from "./while-wanted.ts";

export interface GateJobsOptions {
  readonly client: KubeClient;
  readonly settings: SettingsFile;
  /** Namespaces that are watched. Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly kubeMetrics: KubeMetrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Runs the Jobs of gates, where the administrator lets bridges have some.
 *
 * A lane of its own beside the rollout: a Job that the API server refuses, or that cannot be known of, holds up no pass of its bridge; it is a gate
 * without a verdict. A Job is made for a gate that stands in the book as asked, once, under a name that is made of the question. When its gate is out
 * of the book it is deleted, at once if it still runs, otherwise with the rollout: until then its logs can be read.
 */
export interface GateJobs {
  /** What the Jobs of these gates have come to; they are made, and no others of the bridge stay. */
  look(
    bridge: BridgeRef,
    booked: readonly Booked[],
    spec: LLMBridgeSpec,
    status: LLMBridgeStatus,
  ): readonly GateAnswer[];
  forget(key: ObjectKey): void;
  onAnswer(listener: (key: ObjectKey) => void): void;
  /** Follows the settings and the Jobs until the signal aborts; never rejects. May be called once. */
  follow(signal: AbortSignal): Promise<void>;
  /** Writes until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** A write that was refused is tried again after this. */
const RETRY_MS = 15_000;
/** A Job whose pod does not run is asked why this often. */
const STARTING_MS = 10_000;

interface Known {
  readonly bridge: BridgeRef;
  readonly contests: Contests;
  wanted: WantedJobs;
  /** What the last write was refused for. */
  problem: string | undefined;
  /** By `wordsKey` of a Job: what its pod left behind, or why it does not start. */
  words: ReadonlyMap<string, string>;
  /** What the last look was told. */
  said: readonly GateAnswer[];
}

export function createGateJobs(options: GateJobsOptions): GateJobs {
  const { client, settings, namespaces, kubeMetrics: metrics, log, clock = systemClock } = options;
  const known = new Map<string, Known>();
  const listeners: ((key: ObjectKey) => void)[] = [];
  const ownWrites = createOwnWrites({ clock, metrics });
  const api = createOptionalApis<RawJob>({
    ...{ client, clock, log, metrics, resource: resources.jobs, namespaces },
    ...OWNED,
    transform: slimJob,
    watchDefinition: false,
  });

  const answersOf = (mine: Known): readonly GateAnswer[] => {
    const copy = api.current(mine.bridge.namespace);
    return mine.wanted.booked
      .filter(({ gate, entry }) => gate?.job && entry.state === "Asked")
      .flatMap(({ entry: { name, since }, question }): GateAnswer | [] => {
        const jobName = gateJobName(question);
        const found = copy?.store.get(question.bridge.namespace, jobName);
        const job = found && controllerOf(found)?.uid === mine.bridge.uid ? found : undefined;
        if (!job) {
          const message = mine.problem ?? unavailable(api.availability(mine.bridge.namespace));
          return message === undefined ? [] : { name, since, kind: "Waiting", message };
        }
        const words = mine.words.get(wordsKey(job));
        // Its pod is asked first; that it is only just starting is not worth a write.
        if (isFinished(job) && words === undefined) return [];
        if (isStarting(job) && !words) return [];
        return { name, since, ...jobAnswer(job, words ?? "") };
      });
  };

  const reconcile = async (key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> => {
    const mine = known.get(formatKey(key));
    const copy = api.current(key.namespace);
    // The key comes back with the next look, and with the Jobs.
    if (!mine || !copy) return { kind: "done" };
    const jobs = ofBridge(copy, key, mine.bridge.uid);
    const writer = ownWrites.clientFor(key, client, context.progressed);
    try {
      await apply(
        writer,
        mine.bridge,
        gateJobWrites(mine.wanted, jobs),
        mine.contests,
        (resource, found) => {
          ownWrites.wrote(key, resource, found, { strict: true });
          return isShownBy(copy as unknown as Informer<KubeObject>, found);
        },
        context.signal,
      );
      mine.problem = undefined;
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      mine.problem = problem.message;
      context.log.warn({ problem: problem.kind }, problem.message);
    }
    mine.words = await wordsOf(client, mine, jobs, context.signal);
    if (!sameJson(answersOf(mine), mine.said)) for (const listener of listeners) listener(key);
    if (mine.problem !== undefined) return { kind: "requeueAfter", ms: RETRY_MS };
    return askedJobs(mine.wanted, jobs).some(isStarting)
      ? { kind: "requeueAfter", ms: STARTING_MS }
      : { kind: "done" };
  };

  const controller = createController({ name: "gate-job", reconcile, ownWrites, clock, log, metrics });
  const lookAtAll = (): void => {
    for (const { bridge } of known.values()) controller.enqueue(bridge, { priority: "resync" });
  };
  // A bridge that was not looked at has its key added by the first look; in a standby, which looks at none, those of all Jobs would pile up.
  const enqueue = (key: ObjectKey, add: AddOptions): void => {
    if (known.has(formatKey(key))) controller.enqueue(key, add);
  };
  api.onCopy((copy: Informer<RawJob>) => {
    const ends = [ownWrites.observe(copy), watchOwned(copy, jobFacts, enqueue)];
    return () => {
      for (const end of ends) end();
    };
  });
  api.onAvailability(lookAtAll);

  return {
    look(bridge, booked, spec, { rollout }) {
      const key = formatKey(bridge);
      const before = known.get(key);
      const wanted = {
        booked: booked.filter(({ entry }) => entry.kind === "Job"),
        pod: spec.pod,
        kept: [rollout?.canaryRevision, rollout?.failed?.revision],
      };
      const mine =
        before?.bridge.uid === bridge.uid
          ? before
          : {
              ...{ bridge, wanted, problem: undefined, words: new Map(), said: [] },
              contests: createContests({ clock, creations: true }),
            };
      const isNews = mine !== before || !sameJson(mine.wanted, wanted);
      mine.wanted = wanted;
      known.set(key, mine);
      if (isNews) controller.enqueue(bridge, { priority: "child" });
      mine.said = answersOf(mine);
      return mine.said;
    },
    forget: (key) => void known.delete(formatKey(key)),
    onAnswer: (listener) => void listeners.push(listener),
    run: (signal) => controller.run(signal),
    follow(signal) {
      const isWanted = ({ gateJobs }: AdministratorSettings): boolean => gateJobs !== undefined;
      return runWhileWanted({ settings, isWanted, start: api.start }, signal);
    },
  };
}

/** What was heard before it ended is not what it left behind. */
const wordsKey = (job: RawJob): string => `${job.metadata.name} ${isFinished(job) ? "ended" : "starts"}`;

/** Unlike of other children, a Job's status is what matters. */
const jobFacts = (job: RawJob): unknown => [childFacts(job), job.status];

function unavailable(availability: { readonly kind: string; readonly message?: string }): string | undefined {
  if (availability.kind !== "Forbidden") return undefined;
  return `The operator may not use Jobs; give it the right to, as its chart does where settings.gateJobs is set. ${(availability.message ?? "").slice(0, 150)}`;
}

/** Pods are asked only about Jobs that have ended, once, or do not start. Without an answer there are no words. */
async function wordsOf(
  client: KubeClient,
  mine: Known,
  jobs: readonly RawJob[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const words = new Map<string, string>();
  for (const job of askedJobs(mine.wanted, jobs)) {
    const { name, namespace = "" } = job.metadata;
    if (!isFinished(job) && !isStarting(job)) continue;
    const labelSelector = `batch.kubernetes.io/job-name=${name}`;
    const pods = await client.list<GatePod>(resources.pods, { namespace, labelSelector, signal });
    words.set(wordsKey(job), lastWords(pods));
  }
  return words;
}
