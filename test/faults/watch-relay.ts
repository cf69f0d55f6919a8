import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";

/** One event of a watch as the server sent it. */
interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly metadata?: {
      readonly annotations?: Readonly<Record<string, string>>;
      readonly name?: string;
      readonly namespace?: string;
      readonly resourceVersion?: string;
    };
  };
}

/** Decides what becomes of events: passed on now, or kept until the gate opens. */
export interface WatchGate {
  /** Events wait while this is true; the connection looks alive. */
  frozen: boolean;
}

/** Passes a watch on event by event. */
export interface WatchRelay {
  /** Passes on what has waited; called when a gate opens. Coalesced: of several changes of one object only the last. Nothing: only bookmarks. */
  thaw(how: "All" | "Coalesced" | "Nothing"): void;
  /** How many events wait. */
  readonly waiting: number;
  /** Whether the event that brings an object to this version waits. */
  holds(resourceVersion: string): boolean;
  /** After so many events: does this, and passes on nothing more. */
  stopAfter(events: number, act: () => void): void;
}

/** @param onLine told of each event when it comes, whether or not it is passed on */
export function relayWatch(
  source: Readable,
  target: ServerResponse,
  gate: WatchGate,
  onLine: (line: string) => void = () => {},
): WatchRelay {
  let rest = "";
  let left = Number.POSITIVE_INFINITY;
  let stop = (): void => {};
  let waiting: string[] = [];
  let isOver = false;

  const flush = (): void => {
    if (gate.frozen || isOver) return;
    for (const line of waiting.splice(0, left)) {
      target.write(`${line}\n`);
      left--;
    }
    if (left > 0) return;
    finish();
    stop();
  };
  const finish = (): void => {
    isOver = true;
    source.destroy();
  };
  source.setEncoding("utf8");
  source.on("data", (chunk: string) => {
    rest += chunk;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    const whole = lines.filter((line) => line !== "");
    whole.forEach(onLine);
    waiting.push(...whole);
    flush();
  });
  source.on("end", () => {
    // A frozen stream does not even end.
    if (!isOver && !gate.frozen) target.end();
  });
  source.on("error", () => {
    if (!isOver) target.destroy();
  });
  target.on("close", finish);
  return {
    thaw(how) {
      if (how === "Coalesced") waiting = coalesced(waiting);
      if (how === "Nothing")
        waiting = waiting.filter((line) => (JSON.parse(line) as WatchEvent).type === "BOOKMARK");
      flush();
      if (source.readableEnded) target.end();
    },
    get waiting() {
      return waiting.length;
    },
    holds: (resourceVersion) =>
      waiting.some(
        (line) => (JSON.parse(line) as WatchEvent).object.metadata?.resourceVersion === resourceVersion,
      ),
    stopAfter(events, act) {
      left = events;
      stop = act;
      flush();
    },
  };
}

/** Collects the events of a list that is streamed, and hands them over when it is whole. */
export function recordList(onWhole: (lines: readonly string[]) => void): (line: string) => void {
  const lines: string[] = [];
  let isWhole = false;
  return (line) => {
    if (isWhole) return;
    lines.push(line);
    const { type, object } = JSON.parse(line) as WatchEvent;
    isWhole = type === "BOOKMARK" && object.metadata?.annotations?.["k8s.io/initial-events-end"] === "true";
    if (isWhole) onWhole(lines);
  };
}

/** Without changes that a later event of the same object has overwritten. */
function coalesced(lines: readonly string[]): string[] {
  const events = lines.map((line) => JSON.parse(line) as WatchEvent);
  const keyOf = ({ object }: WatchEvent) => `${object.metadata?.namespace}/${object.metadata?.name}`;
  return lines.filter((_, index) => {
    const event = events[index] as WatchEvent;
    return (
      event.type !== "MODIFIED" || !events.slice(index + 1).some((later) => keyOf(later) === keyOf(event))
    );
  });
}
