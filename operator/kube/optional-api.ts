import { backoffMs, type Clock, type Random, sleep, systemClock } from "./clock.ts";
import { type ApiError, isForbidden, isNotFound } from "./errors.ts";
import { createInformer, type Informer, type InformerOptions } from "./informer.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { isBeingDeleted, type KubeObject } from "./object.ts";
import { resourceName, resources } from "./resources.ts";
import { linkSignals, whenAborted } from "./signals.ts";

/** What is known of an API. Served: there is a whole copy of its objects. `message`: what the API server said. */
export type Availability =
  | { readonly kind: "Unknown" | "Served" }
  | { readonly kind: "Absent" | "Forbidden"; readonly message: string };

const KINDS = ["Unknown", "Served", "Absent", "Forbidden"] as const satisfies Availability["kind"][];

export interface OptionalApiOptions<T extends KubeObject>
  extends Omit<InformerOptions<T>, "onFailure" | "timing" | "namespace"> {
  /** The namespace whose objects are followed. Default: all. */
  readonly namespace?: string | undefined;
  /**
   * Watch the CustomResourceDefinition of the API, this one alone and by its metadata: an API that appears is used at once, and nothing is
   * asked while it is absent. Takes the right to list and watch it in the whole cluster.
   */
  readonly watchDefinition: boolean;
  /** First and longest wait before an API that is absent or forbidden is tried again. Default 1-300 s. */
  readonly pausesMs?: readonly [number, number] | undefined;
}

/**
 * Follows an API that need not be there: its objects are held while it is served, and let go when it vanishes.
 *
 * Guarantees: an API that is missing, refused, taken away or broken fails nothing and is never asked for in a hot loop; what `current`
 * gives is a copy of the API as it is served now, never one of an API that has gone or of another definition under its name; a failing
 * handler disturbs nobody else.
 * Caveats: without its definition the API is tried again with pauses that double up to five minutes, and so is one that may not be read.
 * Failures of any other kind are the informer's: the copy stays, as old as the first of them.
 */
export interface OptionalApi<T extends KubeObject> {
  availability(): Availability;
  /** The copy of its objects; undefined unless the API is served. Not to be kept. */
  current(): Informer<T> | undefined;
  /** Calls the handler whenever the availability is of another kind than before. */
  onAvailability(handler: () => void): void;
  /** Hands over each new copy before it fills; what the handler returns is called when the copy is let go. */
  onCopy(handler: (copy: Informer<T>) => () => void): void;
  /** Runs until the signal aborts; the promise then resolves, and nothing is known any more. Never rejects. May be called again after that. */
  start(signal: AbortSignal): Promise<void>;
}

/** An API that was served for so long is tried again as if for the first time. */
const HEALTHY_AFTER_MS = 120_000;

export function createOptionalApi<T extends KubeObject>(options: OptionalApiOptions<T>): OptionalApi<T> {
  const { watchDefinition, pausesMs = [1_000, 300_000], ...copied } = options;
  const { clock = systemClock, random = Math.random, metrics = createKubeMetrics() } = options;
  const name = resourceName(options.resource);
  const log = (options.log ?? silentLog).child({ resource: name });
  const copyHandlers: ((copy: Informer<T>) => () => void)[] = [];
  const handlers: (() => void)[] = [];
  let availability: Availability = { kind: "Unknown" };
  let counted: Availability["kind"] | undefined;
  let copy: Informer<T> | undefined;

  const call = <R>(handler: () => R): R | undefined => {
    try {
      return handler();
    } catch (error) {
      metrics.handlerErrors.inc({ resource: name });
      log.error({ err: error }, "a handler of an optional API failed");
      return undefined;
    }
  };

  const become = (next: Availability): void => {
    const isNews = next.kind !== availability.kind;
    availability = next;
    if (!isNews) return;
    for (const state of KINDS)
      metrics.optionalApis.inc(
        { resource: name, state },
        Number(state === next.kind) - Number(state === counted),
      );
    counted = next.kind;
    if (next.kind === "Forbidden") log.warn({ reason: next.message }, "an optional API may not be used");
    else log.info({ state: next.kind }, "an optional API is seen in another state");
    for (const handler of handlers) call(handler);
  };

  /** One copy, from its first request until it is refused or cut. */
  const follow = async (signal: AbortSignal, cut: AbortController): Promise<ApiError | undefined> => {
    let refusal: ApiError | undefined;
    const linked = linkSignals([signal, cut.signal]);
    const informer = createInformer<T>({
      ...copied,
      clock,
      random,
      log,
      metrics,
      onFailure(error) {
        if (linked.signal.aborted || !(isNotFound(error) || isForbidden(error))) return;
        refusal = error;
        cut.abort();
      },
    });
    const ends = copyHandlers.flatMap((take) => call(() => take(informer)) ?? []);
    void informer.synced().then(() => {
      if (linked.signal.aborted) return;
      copy = informer;
      become({ kind: "Served" });
    });
    const letGo = whenAborted(linked.signal).then(() => {
      copy = undefined;
      for (const end of ends) call(end);
    });
    await Promise.all([informer.start(linked.signal), letGo]);
    linked.release();
    return refusal;
  };

  return {
    availability: () => availability,
    current: () => copy,
    onAvailability: (handler) => void handlers.push(handler),
    onCopy: (handler) => void copyHandlers.push(handler),
    async start(signal) {
      let failures = 0;
      let isPaused = false;
      /** Of what goes on now: a copy, or a pause. */
      let cut = new AbortController();
      const pause = async (ms?: number): Promise<void> => {
        isPaused = true;
        const linked = linkSignals([signal, cut.signal]);
        await (ms === undefined ? whenAborted(linked.signal) : sleep(clock, ms, linked.signal));
        linked.release();
        isPaused = false;
      };
      const definition = watchDefinition
        ? followDefinition({
            ...{ client: options.client, name, pausesMs, clock, random, log, metrics },
            onChange(isAnother) {
              if (!isAnother && !isPaused) return;
              failures = 0;
              cut.abort();
            },
            onBlind() {
              if (isPaused) cut.abort();
            },
          })
        : undefined;
      const watching = definition?.start(signal);
      await Promise.race([definition?.settled, whenAborted(signal)]);
      while (!signal.aborted) {
        cut = new AbortController();
        if (definition?.isMissing()) {
          become({ kind: "Absent", message: `there is no CustomResourceDefinition ${name}` });
          await pause();
          continue;
        }
        const startedAt = clock.monotonic();
        const refusal = await follow(signal, cut);
        if (!refusal) {
          if (!definition?.isMissing()) become({ kind: "Unknown" });
          continue;
        }
        become({ kind: isForbidden(refusal) ? "Forbidden" : "Absent", message: refusal.message });
        failures = clock.monotonic() - startedAt > HEALTHY_AFTER_MS ? 1 : failures + 1;
        cut = new AbortController();
        const [first, longest] = pausesMs;
        await pause(backoffMs(failures, first, longest, random));
      }
      become({ kind: "Unknown" });
      await watching;
    },
  };
}

interface DefinitionOptions {
  readonly client: InformerOptions<KubeObject>["client"];
  readonly name: string;
  readonly pausesMs: readonly [number, number];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  /** @param isAnother it is there, gone or going, and is not only changed */
  readonly onChange: (isAnother: boolean) => void;
  /** It cannot be watched at present. */
  readonly onBlind: () => void;
}

interface Definition {
  /** Resolves once it is known whether there is one, or that it cannot be told. */
  readonly settled: Promise<void>;
  /** There is none, or soon none, as far as a watch that works can tell. */
  isMissing(): boolean;
  start(signal: AbortSignal): Promise<void>;
}

/** Its objects are being deleted, and no new ones are taken. */

function followDefinition({ name, pausesMs, ...options }: DefinitionOptions): Definition {
  const { client, clock, random, log, metrics } = options;
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  let fails = false;
  const informer = createInformer<KubeObject>({
    ...{ client, clock, random, log, metrics },
    resource: resources.customResourceDefinitions,
    fieldSelector: `metadata.name=${name}`,
    metadataOnly: true,
    // Failures that are further apart than the longest pause still belong to one row.
    timing: { backoffMs: pausesMs, healthyAfterMs: 2 * pausesMs[1] },
    onFailure() {
      fails = true;
      resolve();
      options.onBlind();
    },
  });
  informer.onProgress(() => {
    fails = false;
  });
  informer.onChange(({ kind, object }) => options.onChange(kind !== "updated" || isBeingDeleted(object)));
  void informer.synced().then(resolve);
  return {
    settled,
    isMissing: () => !fails && informer.health().synced && informer.store.list().every(isBeingDeleted),
    start: (signal) => informer.start(signal),
  };
}
