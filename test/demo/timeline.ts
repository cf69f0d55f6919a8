import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import type { Load, Snapshot } from "../load/load.ts";
import type { Bridge } from "../scene/api.ts";

/** Prints what a bridge does as it does it: one line for each change, and one every few seconds in between. */
export interface Timeline {
  /** Waits until the status is as wanted, printing on the way; false when the time is over. */
  until(wanted: (status: LLMBridgeStatus) => boolean, timeoutMs: number): Promise<boolean>;
  say(text: string): void;
}

export interface TimelineOptions {
  readonly bridge: Bridge;
  readonly load: () => Load | undefined;
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

const LOOK_MS = 500;
/** A line at least this often, so that the reader sees that it lives. */
const QUIET_MS = 5_000;

export function createTimeline(options: TimelineOptions): Timeline {
  const { bridge, load, write, nowMs } = options;
  let shown = "";
  let shownMs = 0;
  let before: Snapshot | undefined;
  const told = new Set<string>();

  const say = (text: string) => {
    write(`${clock(nowMs())}  ${bridge.name.padEnd(6)} ${text}`);
    shownMs = nowMs();
  };

  const look = (status: LLMBridgeStatus) => {
    for (const decision of [...status.decisions].reverse()) {
      const key = `${decision.time} ${decision.message}`;
      if (told.has(key)) continue;
      told.add(key);
      say(`${decision.action.toUpperCase()}  ${decision.message}`);
    }
    const state = stateText(status);
    if (state === shown && nowMs() - shownMs < QUIET_MS) return;
    const now = load()?.snapshot();
    say(`${state}${now ? ` · ${trafficText(status, before, now)}` : ""}`);
    shown = state;
    before = now;
  };

  return {
    say,
    async until(wanted, timeoutMs) {
      const deadline = nowMs() + timeoutMs;
      while (nowMs() < deadline) {
        const status = await bridge.status();
        look(status);
        if (wanted(status)) return true;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      return false;
    },
  };
}

const clock = (ms: number) => new Date(ms).toTimeString().slice(0, 8);

/** Phase, weight wanted, pods and verdicts. */
export function stateText(status: LLMBridgeStatus): string {
  const { stable, canary, step, phase = "Pending" } = status;
  const where = step ? `${phase} ${step.name}, weight ${step.weight}%` : phase;
  const ready = (version: LLMBridgeStatus["stable"]) =>
    version ? `${version.ready}/${version.replicas}` : "";
  const pods =
    canary && stable ? `pods ${ready(stable)} + ${ready(canary)}` : `pods ${ready(stable ?? canary)}`;
  const workers = status.workers
    ? `, ${status.workers.current} worker${status.workers.current === 1 ? "" : "s"}`
    : "";
  const verdicts = status.verdicts.map(({ signal, category }) => `${signal} ${category}`).join(", ");
  return `${where} · ${pods}${workers}${verdicts ? ` · ${verdicts}` : ""}`;
}

/** Requests a second since the line before, the canary's share of them, and what failed so far. */
export function trafficText(status: LLMBridgeStatus, before: Snapshot | undefined, now: Snapshot): string {
  const seconds = before ? (now.atMs - before.atMs) / 1000 : 0;
  const finished = now.finished - (before?.finished ?? 0);
  const rate = seconds > 0 ? `${(finished / seconds).toFixed(0)} rps` : `${now.finished} requests`;
  const canary = status.canary?.revision;
  const ofCanary =
    canary === undefined
      ? 0
      : (now.versions[canary]?.finished ?? 0) - (before?.versions[canary]?.finished ?? 0);
  const served =
    canary !== undefined && finished > 0
      ? `, canary served ${((100 * ofCanary) / finished).toFixed(1)}%`
      : "";
  return `${rate}${served}, ${now.failed} failed, ${now.cut} cut`;
}
