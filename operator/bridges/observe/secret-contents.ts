import type { KubeClient } from "../../kube/client.ts";
import type { Clock, Random } from "../../kube/clock.ts";
import { isForbidden } from "../../kube/errors.ts";
import type { KubeMetrics } from "../../kube/metrics.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { whenAborted } from "../../kube/signals.ts";
import { followObject, type SingleState, type SingleTiming } from "../../kube/single-object.ts";
import { canonicalJson } from "../canonical.ts";
import type { WantedContent } from "../references.ts";
import type { SecretFinding, SecretFindings } from "../secret-references.ts";
import { type Fingerprint, fingerprintKey, fingerprintWith, type SecretData } from "./fingerprints.ts";

/** Secrets of people, as far as bridges want canaries for their changes. */
export interface SecretContents {
  /** What these hold now; others are watched no more for this bridge. Never throws for what the API server does; what could not be read says so. */
  read(bridge: ObjectKey, wanted: readonly WantedContent[]): Promise<SecretFindings>;
  /** What is read of a Secret, if it is what the fingerprint stands for; undefined where it has changed since. */
  content(secret: ObjectKey, wanted: WantedContent, fingerprint: string): SecretData | undefined;
  /** The bridge wants none any more. */
  forget(bridge: ObjectKey): void;
  /** Calls the listener with each bridge of which a wanted Secret was made, changed, deleted, or may be read at last. */
  onChange(listener: (bridge: ObjectKey) => void): void;
  /** Works until the signal aborts; never rejects. Asks the API server for nothing before the first `read` of a name. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface SecretContentsOptions {
  readonly client: KubeClient;
  /** The operator's own namespace, where its key is. */
  readonly home: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly metrics: KubeMetrics;
  readonly timing?: SingleTiming;
}

/** How long a look waits for the first answer; what is not known by then comes as a change. */
const PATIENCE_MS = 5_000;
/** A key that could not be had is asked for again after this. */
const KEY_RETRY_MS = 15_000;

/** Chart value that gives the right. */
const REMEDY = "the administrator allows it with the chart's value canarySecrets";

type Secret = KubeObject & { readonly data?: SecretData };

interface Watched {
  readonly secret: ObjectKey;
  readonly bridges: Map<string, ObjectKey>;
  readonly stop: AbortController;
  /** Resolves with the first answer. */
  readonly known: Promise<void>;
  state: SingleState<Secret> | undefined;
}

/**
 * A watch of each wanted Secret by its name, and of nothing else: one that no bridge opts in for is never asked for. The operator needs `get` and `watch`
 * of these names alone.
 */
export function createSecretContents(options: SecretContentsOptions): SecretContents {
  const { client, home, clock, random = Math.random, metrics, timing } = options;
  const watched = new Map<string, Watched>();
  const listeners: ((bridge: ObjectKey) => void)[] = [];
  let running: AbortSignal | undefined;
  const key = createKey(client, home, clock);

  const start = (one: Watched, onKnown: () => void): void => {
    void followObject<Secret>(
      {
        ...{ client, clock, random, metrics, timing, resource: resources.secrets },
        ...{ namespace: one.secret.namespace, name: one.secret.name },
        onState(state) {
          const isNews = isOther(one.state, state);
          one.state = state.kind === "Found" ? { kind: "Found", object: slim(state.object) } : state;
          onKnown();
          if (isNews) for (const bridge of one.bridges.values()) for (const tell of listeners) tell(bridge);
        },
      },
      one.stop.signal,
    );
  };

  const watch = (secret: ObjectKey, bridge: ObjectKey): Watched => {
    const before = watched.get(formatKey(secret));
    if (before) {
      before.bridges.set(formatKey(bridge), bridge);
      return before;
    }
    let onKnown: () => void = () => {};
    const made: Watched = {
      ...{ secret, state: undefined, stop: new AbortController() },
      bridges: new Map([[formatKey(bridge), bridge]]),
      known: new Promise((resolve) => {
        onKnown = resolve;
      }),
    };
    watched.set(formatKey(secret), made);
    if (running?.aborted) made.stop.abort();
    start(made, onKnown);
    return made;
  };

  /** The bridge is told of no others, and what nobody wants any more is watched no more. */
  const release = (bridge: ObjectKey, wanted: readonly ObjectKey[]): void => {
    const kept = new Set(wanted.map(formatKey));
    for (const [id, one] of watched) {
      if (kept.has(id) || !one.bridges.delete(formatKey(bridge)) || one.bridges.size > 0) continue;
      one.stop.abort();
      watched.delete(id);
    }
  };

  const findingOf = (one: Watched, wanted: WantedContent, fingerprint: Fingerprint): SecretFinding => {
    const { secret, state } = one;
    const what = `Secret "${secret.name}"`;
    if (state?.kind === "Missing") return { kind: "Missing" };
    if (state?.kind === "Forbidden")
      return {
        kind: "Forbidden",
        message: `the operator may not get and watch ${what}; ${REMEDY}: [${secret.name}], or set onChange: Ignore.`,
      };
    if (state?.kind !== "Found")
      return { kind: "Unknown", message: `${what} cannot be read${reasonOf(state?.error)}` };
    const { data = {} } = state.object;
    return {
      kind: "Found",
      keys: Object.keys(data).sort(),
      fingerprint: fingerprint(secret, selected(data, wanted)),
    };
  };

  return {
    async read(bridge, wanted) {
      const secrets = wanted.map(({ name }) => ({ namespace: bridge.namespace, name }));
      release(bridge, secrets);
      if (wanted.length === 0) return {};
      const all = secrets.map((secret) => watch(secret, bridge));
      const unknown = all.filter(({ state }) => state === undefined);
      const answers = Promise.all(unknown.map(({ known }) => known));
      const [found] = await Promise.all([
        key.current(),
        unknown.length === 0 ? undefined : Promise.race([answers, patience(clock)]),
      ]);
      if (found.kind !== "ok") return Object.fromEntries(wanted.map(({ name }) => [name, found.finding]));
      return Object.fromEntries(
        all.map((one, index) => [
          one.secret.name,
          findingOf(one, wanted[index] as WantedContent, found.fingerprint),
        ]),
      );
    },
    content(secret, wanted, fingerprint) {
      const state = watched.get(formatKey(secret))?.state;
      if (state?.kind !== "Found") return undefined;
      const data = selected(state.object.data ?? {}, wanted);
      return key.known()?.(secret, data) === fingerprint ? data : undefined;
    },
    forget: (bridge) => release(bridge, []),
    onChange: (listener) => void listeners.push(listener),
    async follow(signal) {
      running = signal;
      await whenAborted(signal);
      for (const { stop } of watched.values()) stop.abort();
    },
  };
}

const selected = (data: SecretData, { keys }: WantedContent): SecretData =>
  keys === undefined
    ? data
    : Object.fromEntries(Object.entries(data).filter(([name]) => keys.includes(name)));

/** Annotations may hold the content once more. */
const slim = ({ metadata: { namespace, name, uid, resourceVersion }, data }: Secret): Secret => ({
  metadata: { namespace, name, uid, resourceVersion },
  ...(data ? { data } : {}),
});

/** Annotations that others touch are no news. */
function isOther(before: SingleState<Secret> | undefined, now: SingleState<Secret>): boolean {
  if (before?.kind !== "Found" || now.kind !== "Found") return before?.kind !== now.kind;
  return canonicalJson(before.object.data ?? {}) !== canonicalJson(now.object.data ?? {});
}

const reasonOf = (error: unknown): string =>
  error === undefined ? " yet." : `: ${error instanceof Error ? error.message : String(error)}`;

const patience = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.setTimer(PATIENCE_MS, resolve).unref());

type Key =
  | { readonly kind: "ok"; readonly fingerprint: Fingerprint }
  | { readonly kind: "failed"; readonly finding: SecretFinding };

/** The key, asked for once; after a failure again, but not with every look. */
function createKey(client: KubeClient, home: string, clock: Clock) {
  let asked: { readonly answer: Promise<Key>; readonly atMs: number } | undefined;
  let fingerprint: Fingerprint | undefined;
  const ask = async (): Promise<Key> => {
    try {
      fingerprint = fingerprintWith(await fingerprintKey(client, home));
      return { kind: "ok", fingerprint };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const finding: SecretFinding = isForbidden(error)
        ? {
            kind: "Forbidden",
            message: `the operator may not keep the key by which it tells that a Secret has changed; ${REMEDY}. ${why}`,
          }
        : { kind: "Unknown", message: `the key of fingerprints cannot be read: ${why}` };
      return { kind: "failed", finding };
    }
  };
  return {
    known: () => fingerprint,
    current(): Promise<Key> {
      const isOld = asked !== undefined && clock.monotonic() - asked.atMs > KEY_RETRY_MS;
      if (!asked || (fingerprint === undefined && isOld)) asked = { answer: ask(), atMs: clock.monotonic() };
      return asked.answer;
    },
  };
}
