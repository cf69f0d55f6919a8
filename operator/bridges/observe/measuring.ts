import type { Clock } from "../../kube/clock.ts";
import { formatKey, type ObjectKey } from "../../kube/object.ts";
import { failing, type MetricSource, type Reading } from "../../prometheus/source.ts";
import { judgedCanary, type Measurements, measure, type Question } from "./measurements.ts";

/**
 * Measures bridges without letting a pass wait for a slow metric source: a command, an edit or a pod that became ready is acted on
 * whether or not the source answers.
 *
 * - A pass waits for at most `PATIENCE_MS`, and not at all while the source is known to be slower.
 * - An answer that comes later is kept for the next pass of its bridge, which `onLate` asks for.
 * - Until then the fleet is as it was last read, and of evidence nothing is new.
 * - Per bridge one question is under way at a time, unless what is asked has changed.
 */
export interface Measuring {
  /** Rejects for nothing that a source does. */
  measure(source: Reading<MetricSource>, question: Question): Promise<Measurements>;
  forget(key: ObjectKey): void;
}

export interface MeasuringOptions {
  readonly clock: Clock;
  /** An answer that nobody waited for is there. */
  readonly onLate: (key: ObjectKey) => void;
}

/** A working source answers in tens of milliseconds; a person waits for a second without wondering. */
const PATIENCE_MS = 1_000;
/** An answer that its bridge comes for so long after it was given, because it was backing off, is asked for again. */
const FRESH_MS = 15_000;

interface Asked {
  readonly subject: string;
  readonly startedAt: number;
  /** Nobody waits for it any more. */
  isLate: boolean;
  answer?: ({ readonly value: Measurements } | { readonly error: unknown }) & { readonly at: number };
}

interface Bridge {
  asked: Asked | undefined;
  last: Measurements["fleet"] | undefined;
}

export function createMeasuring({ clock, onLate }: MeasuringOptions): Measuring {
  const bridges = new Map<string, Bridge>();
  /** Names of sources that did not answer in time when last asked. */
  const slow = new Set<string>();

  const ask = (source: MetricSource, question: Question, bridge: Bridge, subject: string): Promise<void> =>
    new Promise((resolve) => {
      const asked: Asked = { subject, startedAt: clock.monotonic(), isLate: false };
      bridge.asked = asked;
      const giveUp = () => {
        asked.isLate = true;
        resolve();
      };
      const timer = clock.setTimer(PATIENCE_MS, () => {
        slow.add(source.name);
        giveUp();
      });
      if (slow.has(source.name)) giveUp();
      const settle = (answer: { readonly value: Measurements } | { readonly error: unknown }): void => {
        timer.cancel();
        const at = clock.monotonic();
        asked.answer = { ...answer, at };
        if (at - asked.startedAt < PATIENCE_MS) slow.delete(source.name);
        if (!asked.isLate) resolve();
        else if (bridges.get(formatKey(question.bridge))?.asked === asked) onLate(question.bridge);
      };
      measure({ kind: "ok", value: source }, question).then(
        (value) => settle({ value }),
        (error: unknown) => settle({ error }),
      );
    });

  // A source that is asked twice before it times out may take longer than that, and its answer is used all the same.
  const isOld = ({ answer }: Asked): boolean =>
    answer !== undefined && clock.monotonic() - answer.at > FRESH_MS;

  return {
    async measure(source, question) {
      if (source.kind === "failing") return measure(source, question);
      const id = formatKey(question.bridge);
      const bridge = bridges.get(id) ?? { asked: undefined, last: undefined };
      bridges.set(id, bridge);
      const subject = subjectOf(question);
      if (bridge.asked?.subject !== subject || isOld(bridge.asked))
        await ask(source.value, question, bridge, subject);
      const answer = bridge.asked?.answer;
      if (answer === undefined) return unanswered(source.value, question, bridge);
      bridge.asked = undefined;
      if ("error" in answer) throw answer.error;
      bridge.last = answer.value.fleet;
      return answer.value;
    },
    forget: (key) => void bridges.delete(formatKey(key)),
  };
}

/** Questions with the same subject have the same answer, but for its age. */
function subjectOf({ bridge, spec, status, known }: Question): string {
  const { canaryRevision, stableRevision, previousRevision, evidenceSince } = status.rollout ?? {};
  const { metrics, rollout, scaling } = spec;
  return JSON.stringify([
    bridge.uid,
    metrics.source,
    scaling.demandWindow,
    rollout.analysis,
    rollout.baseline,
    canaryRevision,
    stableRevision,
    previousRevision,
    evidenceSince,
    known?.intervalEndMs,
  ]);
}

function unanswered(
  { scrapeIntervalMs }: MetricSource,
  { status }: Question,
  { last }: Bridge,
): Measurements {
  const canary = judgedCanary(status);
  return {
    fleet: last ?? failing("Waiting", "The metric source has not answered yet."),
    evidence: canary === undefined ? undefined : { kind: "Waiting", canary },
    forecast: undefined,
    scrapeMs: scrapeIntervalMs,
  };
}
