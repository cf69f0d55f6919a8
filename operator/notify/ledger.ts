import type { DecisionEvent } from "./decision-event.ts";

/**
 * Which decisions of a bridge every receiver has been told of, or will never be. Its status says so too, written along with whatever else is, so that
 * an operator that starts anew tells what the one before did not get to, and not the rest once more.
 */
export interface Ledger {
  /** Nothing before this is told again. */
  begin(uid: string, throughMs: number): void;
  opened(event: DecisionEvent, receivers: number): void;
  settled(event: DecisionEvent): void;
  /** Every decision up to this time is settled; undefined where nothing is known of the bridge. */
  throughMs(uid: string): number | undefined;
  forget(uid: string): void;
}

interface Entry {
  /** The newest decision that was told of. */
  latestMs: number;
  /** By id: receivers that have not settled it. */
  readonly open: Map<string, { readonly timeMs: number; receivers: number }>;
}

export function createLedger(): Ledger {
  const entries = new Map<string, Entry>();
  const entry = (uid: string): Entry => {
    const known = entries.get(uid) ?? { latestMs: 0, open: new Map() };
    entries.set(uid, known);
    return known;
  };
  return {
    begin(uid, throughMs) {
      entry(uid).latestMs = throughMs;
    },
    opened({ id, timeMs, bridge }, receivers) {
      const known = entry(bridge.uid);
      known.latestMs = Math.max(known.latestMs, timeMs);
      if (receivers > 0) known.open.set(id, { timeMs, receivers });
    },
    settled({ id, bridge }) {
      const open = entries.get(bridge.uid)?.open;
      const one = open?.get(id);
      if (one && --one.receivers <= 0) open?.delete(id);
    },
    throughMs(uid) {
      const known = entries.get(uid);
      if (known === undefined) return undefined;
      // Decisions of one second may differ in nothing but their order, so that the whole of it is told again.
      const first = Math.min(...[...known.open.values()].map(({ timeMs }) => timeMs - 1));
      return Math.min(known.latestMs, first);
    },
    forget(uid) {
      entries.delete(uid);
    },
  };
}
