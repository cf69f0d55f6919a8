import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";

/** One event of a watch as the server sent it. */
interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly metadata?: {
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
  /** Passes on what has waited; called when a gate opens. Coalesced: of several changes of one object only the last. */
  thaw(how: "All" | "Coalesced"): void;
  /** How many events wait. */
  readonly waiting: number;
  /** Writes an event of its own and ends the stream. */
  end(line: string): void;
}

export function relayWatch(source: Readable, target: ServerResponse, gate: WatchGate): WatchRelay {
  let rest = "";
  let waiting: string[] = [];
  let isOver = false;

  const flush = (): void => {
    if (gate.frozen) return;
    for (const line of waiting) target.write(`${line}\n`);
    waiting = [];
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
    waiting.push(...lines.filter((line) => line !== ""));
    flush();
  });
  source.on("end", () => {
    // A frozen stream does not even end.
    if (!isOver && !gate.frozen) target.end();
  });
  source.on("error", () => target.destroy());
  target.on("close", finish);
  return {
    thaw(how) {
      if (how === "Coalesced") waiting = coalesced(waiting);
      flush();
      if (source.readableEnded) target.end();
    },
    get waiting() {
      return waiting.length;
    },
    end(line) {
      finish();
      target.end(`${line}\n`);
    },
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
