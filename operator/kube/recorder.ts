import { createHash, randomBytes } from "node:crypto";
import type { KubeClient } from "./client.ts";
import { type Clock, sleep, systemClock, type Timer } from "./clock.ts";
import {
  ApiError,
  FencedError,
  isAlreadyExists,
  isInvalid,
  isNotFound,
  isTooManyRequests,
  TransportError,
} from "./errors.ts";
import { microTime } from "./lease-record.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import type { DesiredObject, KubeObject } from "./object.ts";
import { resources } from "./resources.ts";
import { createTokenBuckets } from "./token-buckets.ts";

/** The object an Event is about. */
interface EventSubject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata: Pick<KubeObject["metadata"], "name" | "namespace" | "uid">;
}

export interface RecordedEvent {
  readonly regarding: EventSubject;
  readonly type: "Normal" | "Warning";
  /** Why, in one CamelCase word. */
  readonly reason: string;
  /** What was done or attempted, in one CamelCase word. */
  readonly action: string;
  /** One sentence; cut at 1,024 bytes, the server's limit. */
  readonly note: string;
}

export interface RecorderOptions {
  readonly client: KubeClient;
  /** Who reports, e.g. `llmbridge.dev/operator`. */
  readonly controller: string;
  /** Which instance of it, e.g. the pod's name. */
  readonly instance: string;
  /** An event that happens again within so long joins the series of the first. Default 6 min. */
  readonly seriesGapMs?: number;
  /** A series is written at most once in so long. Default 30 s. */
  readonly seriesFlushMs?: number;
  /** Events for one object at once, and the time after which one more is allowed. Default 25 and one a minute. */
  readonly burst?: number;
  readonly refillMs?: number;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly metrics?: KubeMetrics;
}

/**
 * Writes Kubernetes Events (events.k8s.io/v1) for people to read.
 *
 * Guarantees: never on the critical path: `record` returns at once and never throws; events are sent one after the other in the background, each at most
 * once as an object. The same event again becomes a series: one object with a count, which is made anew where it is missing. A server that does not
 * answer, or has no time, is tried for 15 s with each. One that fails with an event is tried once more when the others have been sent: it may fail with
 * those of one namespace alone, for want of a webhook, and these must not keep back what others have to say.
 * Caveats: events are dropped when the server refuses them, when too many wait, when one object causes too many, or when leadership is lost. Nothing may
 * be decided by reading Events.
 * Errors: none reach the caller; what became of events is counted.
 */
export interface Recorder {
  record(event: RecordedEvent): void;
  /** Sends what waits, series included, for at most `withinMs`. Call while writes are still permitted: before the leader's work ends. */
  flush(withinMs: number): Promise<void>;
}

/** Events that may wait for the server. */
const MAX_WAITING = 1000;
const NOTE_BYTES = 1024;
const SEND_DEADLINE_MS = 10_000;
const PAUSE_MS = 1_000;
/** While leadership is in doubt an event waits; the lease is renewed, or lost for good, in less than this. So it does for the server. */
const PATIENCE_MS = 15_000;

/** No event gets through, and the same may a moment later. */
const isPassing = (error: unknown): boolean =>
  error instanceof FencedError ||
  error instanceof TransportError ||
  isTooManyRequests(error) ||
  (error instanceof ApiError && error.code === 503);

/** The server failed with this event; nothing is known of others. */
const isFailure = (error: unknown): boolean =>
  error instanceof ApiError && error.code >= 500 && !isInvalid(error);

interface Job {
  readonly run: () => Promise<void>;
  /** Of one that is tried for the second time, by the monotonic clock. */
  readonly notBeforeMs?: number;
  /** It will not be tried again. */
  readonly onLost?: () => void;
}

interface Series {
  readonly body: DesiredObject & { readonly metadata: { readonly namespace: string; readonly name: string } };
  count: number;
  lastAtMs: number;
  /** Count that the server has. */
  sentCount: number;
  flush: Timer | undefined;
  forget: Timer;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { client, clock = systemClock, log = silentLog, metrics = createKubeMetrics() } = options;
  const { seriesGapMs = 360_000, seriesFlushMs = 30_000, burst = 25, refillMs = 60_000 } = options;
  const series = new Map<string, Series>();
  const buckets = createTokenBuckets({ capacity: burst, refillMs, clock });
  const waiting: Job[] = [];
  let sending: Promise<void> | undefined;
  /** The last flush is over: the process ends, and nothing may keep it. */
  let over = false;

  const patiently = async ({ run }: Job): Promise<void> => {
    for (const endsAt = clock.monotonic() + PATIENCE_MS; ; ) {
      try {
        return await run();
      } catch (error) {
        if (!isPassing(error) || clock.monotonic() >= endsAt || over) throw error;
        await sleep(clock, PAUSE_MS);
      }
    }
  };

  const send = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { notBeforeMs } = next;
      if (notBeforeMs !== undefined && !over)
        await sleep(clock, Math.max(0, notBeforeMs - clock.monotonic()));
      try {
        await patiently(next);
        metrics.events.inc({ result: "sent" });
      } catch (error) {
        if (isFailure(error) && !isPassing(error) && notBeforeMs === undefined && !over) {
          waiting.push({ ...next, notBeforeMs: clock.monotonic() + PAUSE_MS });
          continue;
        }
        metrics.events.inc({ result: "failed" });
        log.debug({ err: error }, "an event could not be written");
        next.onLost?.();
      }
    }
    sending = undefined;
  };

  const enqueue = (job: Job): void => {
    if (waiting.length >= MAX_WAITING) {
      metrics.events.inc({ result: "dropped" });
      job.onLost?.();
      return;
    }
    waiting.push(job);
    sending ??= send();
  };

  const create = async (body: DesiredObject): Promise<void> => {
    try {
      await client.create(resources.events, body, { deadlineMs: SEND_DEADLINE_MS });
    } catch (error) {
      // Its name is ours alone: a try before this one has arrived, and its answer has not.
      if (!isAlreadyExists(error)) throw error;
    }
  };

  const writeSeries = (entry: Series): void => {
    entry.flush?.cancel();
    entry.flush = undefined;
    if (entry.count === entry.sentCount) return;
    const { body } = entry;
    const { namespace, name } = body.metadata;
    entry.sentCount = entry.count;
    const patch = { series: { count: entry.count, lastObservedTime: microTime(entry.lastAtMs) } };
    enqueue({
      async run() {
        try {
          await client.mergePatch(resources.events, namespace, name, patch, { deadlineMs: SEND_DEADLINE_MS });
        } catch (error) {
          if (!isNotFound(error)) throw error;
          await create({ ...body, ...patch });
        }
      },
    });
  };

  const rememberFor = (id: string): Timer =>
    clock
      .setTimer(seriesGapMs, () => {
        const entry = series.get(id);
        if (entry) writeSeries(entry);
        series.delete(id);
      })
      .unref();

  const again = (id: string, entry: Series): void => {
    entry.count++;
    entry.lastAtMs = clock.now();
    entry.forget.cancel();
    entry.forget = rememberFor(id);
    // The second occurrence is written at once, so that people see that it repeats; further ones are gathered.
    if (entry.count === 2) writeSeries(entry);
    else entry.flush ??= clock.setTimer(seriesFlushMs, () => writeSeries(entry)).unref();
  };

  const first = (id: string, event: RecordedEvent): void => {
    const { metadata, apiVersion, kind } = event.regarding;
    const namespace = metadata.namespace ?? "default";
    const name = `${metadata.name.slice(0, 230)}.${randomBytes(8).toString("hex")}`;
    const nowMs = clock.now();
    const body = {
      metadata: { namespace, name },
      eventTime: microTime(nowMs),
      reportingController: options.controller,
      reportingInstance: options.instance,
      action: event.action,
      reason: event.reason,
      type: event.type,
      note: cut(event.note),
      regarding: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    };
    const entry: Series = {
      ...{ body, count: 1, sentCount: 1, lastAtMs: nowMs, flush: undefined },
      forget: rememberFor(id),
    };
    series.set(id, entry);
    // The next one like it is the first again.
    const onLost = (): void => {
      entry.flush?.cancel();
      entry.forget.cancel();
      if (series.get(id) === entry) series.delete(id);
    };
    enqueue({ run: () => create(body), onLost });
  };

  return {
    record(event) {
      const id = identify(event);
      const entry = series.get(id);
      if (entry) again(id, entry);
      else if (buckets.take(event.regarding.metadata.uid)) first(id, event);
      else metrics.events.inc({ result: "limited" });
    },
    async flush(withinMs) {
      for (const entry of series.values()) writeSeries(entry);
      const late = Promise.withResolvers<void>();
      const timer = clock.setTimer(withinMs, late.resolve);
      await Promise.race([sending, late.promise]);
      timer.cancel();
      over = true;
    },
  };
}

/** Events are the same when everything but their time is. */
function identify({ regarding, type, reason, action, note }: RecordedEvent): string {
  return createHash("sha256")
    .update(JSON.stringify([regarding.metadata.uid, type, reason, action, note]))
    .digest("base64");
}

/** Cuts at the server's limit without leaving half a character. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES) return note;
  return `${bytes
    .subarray(0, NOTE_BYTES - 4)
    .toString("utf8")
    .replace(/\uFFFD+$/, "")}…`;
}
