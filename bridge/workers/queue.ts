/** Who is served first when jobs wait. */
export type Priority = "high" | "normal" | "low";

const CLASSES: readonly Priority[] = ["high", "normal", "low"];

/**
 * A bounded queue of three classes with ageing. An item is ordered by the time it came plus `ageMs` for each class below
 * `high`; so an item overtakes those of a better class that came more than `ageMs` after it, and none waits for ever.
 */
export interface AgeingQueue<T> {
  readonly size: number;
  /** False where the queue is full. */
  push(item: T, priority: Priority): boolean;
  shift(): T | undefined;
  /** Removes everything, in no particular order. */
  clear(): T[];
}

export interface AgeingQueueOptions {
  readonly maxSize: number;
  readonly ageMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export function createAgeingQueue<T>(options: AgeingQueueOptions): AgeingQueue<T> {
  const lanes = CLASSES.map(() => [] as { readonly item: T; readonly orderMs: number }[]);
  const size = () => lanes.reduce((sum, lane) => sum + lane.length, 0);
  return {
    get size() {
      return size();
    },
    push(item, priority) {
      if (size() >= options.maxSize) return false;
      const rank = CLASSES.indexOf(priority);
      lanes[rank]?.push({ item, orderMs: options.now() + rank * options.ageMs });
      return true;
    },
    shift() {
      let first: (typeof lanes)[number] | undefined;
      for (const lane of lanes) {
        const head = lane[0];
        if (head !== undefined && head.orderMs < (first?.[0]?.orderMs ?? Number.POSITIVE_INFINITY))
          first = lane;
      }
      return first?.shift()?.item;
    },
    clear: () => lanes.flatMap((lane) => lane.splice(0).map(({ item }) => item)),
  };
}
