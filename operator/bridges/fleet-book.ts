import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import { PHASES, type Phase } from "../api/v1alpha1/status.ts";
import type { Clock } from "../kube/clock.ts";
import { formatKey, isBeingDeleted, type KubeObject, keyOf, type ObjectKey } from "../kube/object.ts";
import type { FleetRules } from "../rollout/fleet/rules.ts";
import { byTurn, nextInTurn } from "../rollout/fleet/turn.ts";
import { type FleetView, isRolling, type Peer, type Place, type Waiting } from "../rollout/fleet/view.ts";
import type { Caches } from "./caches.ts";
import { canonicalJson } from "./canonical.ts";
import type { BridgeRef } from "./names.ts";

/**
 * Which bridges roll and which wait, for the fleet coordinator. Everything is read from stored states; what this process has just decided counts
 * before the cache shows it, so that two bridges that are looked at in the same moment cannot take the same place.
 */
export interface FleetBook {
  /** The others as one bridge may see them now; no `await` may lie between this, the decision and `note`. */
  view(bridge: BridgeRef, after: readonly string[]): FleetView;
  /** What was just decided of the bridge; of no account where it has been deleted while it was looked at. */
  note(bridge: BridgeRef, status: LLMBridgeStatus): void;
  /** What was decided could not be carried out or stored: the stored state holds again, and the bridge stands in nobody's way. */
  revoke(bridge: ObjectKey): void;
  /** The stored state of the bridge is known to be its newest. */
  seen(bridge: ObjectKey): void;
  /** From here on decisions are taken: bridges that are known already must be seen first. */
  begin(): void;
}

export interface FleetBookOptions {
  readonly bridges: Pick<Caches["bridges"], "store" | "onChange">;
  readonly rules: () => FleetRules;
  readonly clock: Pick<Clock, "now">;
  /** Told of a bridge whose turn has come, and of one whose predecessors have moved. */
  readonly onTurn: (key: ObjectKey) => void;
}

/** Whether a bridge takes a place, and whether it waits for one; absent where neither. */
interface Entry {
  readonly rolling: boolean;
  readonly waiting: Waiting | undefined;
}

const NEITHER: Entry = { rolling: false, waiting: undefined };

/** As stored, perhaps by another version; only these fields are read. */
interface Stored {
  readonly spec?: { readonly rollout?: { readonly after?: readonly string[] } };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { type: string; status: string; message: string }[];
    readonly rollout?: StoredRollout;
  };
}

interface StoredRollout {
  readonly phase?: string;
  readonly heldFor?: string | undefined;
  readonly queued?: { readonly since?: string } | undefined;
}

export function createFleetBook({ bridges, rules, clock, onTurn }: FleetBookOptions): FleetBook {
  /** By the cache. */
  const stored = new Map<string, Entry>();
  /** By the last decision of this process, which the cache may not show yet. */
  const decided = new Map<string, Entry>();
  const rolling = new Map<string, Place>();
  const waiting = new Map<string, Waiting>();
  const unseen = new Set<string>();
  let lists: Pick<FleetView, "rolling" | "waiting"> | undefined;

  const whole = (): FleetView => {
    lists ??= { rolling: [...rolling.values()], waiting: [...waiting.values()].sort(byTurn) };
    return { rules: rules(), ...lists, peers: {}, complete: unseen.size === 0 };
  };

  /** A place is taken from when that is decided until it is stored that it is free. @returns whether anything is another than before */
  const update = (key: string, { namespace, name }: ObjectKey): boolean => {
    const rolls = (stored.get(key)?.rolling ?? false) || (decided.get(key)?.rolling ?? false);
    const waits = rolls ? undefined : (decided.get(key) ?? stored.get(key))?.waiting;
    const before = waiting.get(key);
    const same = before?.since === waits?.since && before?.heldFor === waits?.heldFor;
    if (rolls === rolling.has(key) && same) return false;
    if (rolls) rolling.set(key, { namespace, name });
    else rolling.delete(key);
    if (waits) waiting.set(key, waits);
    else waiting.delete(key);
    lists = undefined;
    return true;
  };

  /** Those who can start now are looked at at once. */
  const tellNext = (): void => {
    for (const { namespace, name } of nextInTurn(whole(), clock.now())) onTurn({ namespace, name });
  };

  /** So are those who wait for a bridge of this namespace that has moved. */
  const tellDependents = (of: string): void => {
    for (const { namespace, name, heldFor } of waiting.values())
      if (namespace === of && heldFor === "FleetOrder") onTurn({ namespace, name });
  };

  const decide = (bridge: ObjectKey, entry: Entry): boolean => {
    const key = formatKey(bridge);
    if (isNeither(entry) && !stored.has(key)) decided.delete(key);
    else decided.set(key, entry);
    return update(key, bridge);
  };

  const seen = (bridge: ObjectKey): void => {
    if (unseen.delete(formatKey(bridge)) && unseen.size === 0) tellNext();
  };

  bridges.onChange((change) => {
    const { kind, object } = change;
    const bridge = keyOf(object);
    const key = formatKey(bridge);
    // What is being deleted rolls no more, whatever its deletion waits for.
    const gone = kind === "deleted" || isBeingDeleted(object);
    const entry = gone ? NEITHER : entryOf(bridge, statusOf(object).rollout);
    if (isNeither(entry)) stored.delete(key);
    else stored.set(key, entry);
    if (gone) decided.delete(key);
    if (update(key, bridge)) tellNext();
    if (gone) seen(bridge);
    const before = kind === "updated" ? peerOf(change.previous) : undefined;
    if (gone || canonicalJson(before) !== canonicalJson(peerOf(object))) tellDependents(bridge.namespace);
  });

  return {
    view: ({ namespace }, after) => ({ ...whole(), peers: peersOf(bridges, namespace, after) }),
    note(bridge, { rollout }) {
      const object = bridges.store.get(bridge.namespace, bridge.name);
      if (object?.metadata.uid !== bridge.uid || isBeingDeleted(object)) return;
      decide(bridge, entryOf(bridge, rollout));
    },
    revoke(bridge) {
      if (decide(bridge, NEITHER)) tellNext();
    },
    seen,
    begin() {
      for (const bridge of bridges.store.list())
        if (!isBeingDeleted(bridge)) unseen.add(formatKey(keyOf(bridge)));
    },
  };
}

const isNeither = ({ rolling, waiting }: Entry): boolean => !rolling && waiting === undefined;

const statusOf = (object: KubeObject): NonNullable<Stored["status"]> => (object as Stored).status ?? {};

function entryOf({ namespace, name }: ObjectKey, rollout: StoredRollout | undefined): Entry {
  const phase = phaseOf(rollout?.phase);
  const rolling = isRolling(phase);
  const since = rollout?.queued?.since;
  if (rolling || phase === undefined || since === undefined) return { rolling, waiting: undefined };
  return { rolling, waiting: { namespace, name, since, heldFor: rollout?.heldFor } };
}

/** A phase of a newer version takes no place and no turn: the bridge is left alone until that version is back. */
const phaseOf = (text: string | undefined): Phase | undefined => PHASES.find((phase) => phase === text);

function peersOf(
  bridges: Pick<Caches["bridges"], "store">,
  namespace: string,
  names: readonly string[],
): Record<string, Peer> {
  const peers: Record<string, Peer> = {};
  const left = [...names];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const object = bridges.store.get(namespace, name);
    if (!object || isBeingDeleted(object) || peers[name]) continue;
    const peer = peerOf(object);
    peers[name] = peer;
    left.push(...peer.after);
  }
  return peers;
}

function peerOf(object: KubeObject): Peer {
  const { spec } = object as Stored;
  const { observedGeneration, conditions, rollout } = statusOf(object);
  const stalled = conditions?.find(({ type, status }) => type === "Stalled" && status === "True");
  return {
    after: spec?.rollout?.after ?? [],
    phase: phaseOf(rollout?.phase),
    heldFor: rollout?.heldFor,
    current: observedGeneration === object.metadata.generation,
    stalled: stalled?.message,
  };
}
