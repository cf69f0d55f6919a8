import { backoffMs, type Clock, type Random, sleep, systemClock } from "../kube/clock.ts";
import type { Log } from "../kube/log.ts";
import { formatKey, type ObjectKey } from "../kube/object.ts";
import type { GateAnswer } from "../rollout/gates/answer.ts";
import { beginSeries, endSeries, type GateMetrics, RESULTS } from "./metrics.ts";
import { type GateQuestion, questionId } from "./question.ts";
import type { Verdict } from "./verdict.ts";
import { createWebhook, type Webhook, type WebhookSettings } from "./webhook.ts";

/** A question for a webhook. */
export interface WebhookQuestion extends GateQuestion {
  /** Name of the receiver in the administrator's settings. */
  readonly receiver: string;
  /** For one try. */
  readonly timeoutMs: number;
}

/**
 * Asks webhooks, each question in a loop of its own, so that no pass of a bridge waits for one. What nobody wants to know any more is given up at once,
 * also in the middle of a try. An answer is kept for as long as its question is asked.
 *
 * Guarantees: a question goes out only once it is stored, always under the same id; a verdict ends its tries. What is neither pass nor fail is asked
 * again, after 1 s doubling to a minute, or as late as the receiver asks; how long at most is for the rollout to say.
 */
export interface GateCalls {
  /** Asks these of a bridge, and nothing else any more; what is known of them so far. */
  follow(key: ObjectKey, questions: readonly WebhookQuestion[]): readonly GateAnswer[];
  forget(key: ObjectKey): void;
  /** Other receivers from now on; questions under way go to the new ones with their next try. */
  configure(receivers: readonly WebhookSettings[]): void;
  /** Calls the listener when something else is known of a bridge's questions than before. */
  onAnswer(listener: (key: ObjectKey) => void): void;
  /** Gives up everything. */
  close(): Promise<void>;
}

export interface GateCallsOptions {
  readonly log: Log;
  readonly metrics: GateMetrics;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: over HTTP. */
  readonly open?: typeof createWebhook;
}

/** Pauses between tries, first and longest. */
const BACKOFF_MS = [1_000, 60_000] as const;

interface Call {
  readonly given: AbortController;
  question: WebhookQuestion;
  answer: GateAnswer | undefined;
}

export function createGateCalls({
  log,
  metrics,
  clock = systemClock,
  random = Math.random,
  open = createWebhook,
}: GateCallsOptions): GateCalls {
  let receivers = new Map<string, { readonly text: string; readonly webhook: Webhook }>();
  /** By bridge, then by id. */
  const calls = new Map<string, Map<string, Call>>();
  const running = new Set<Promise<void>>();
  const listeners: ((key: ObjectKey) => void)[] = [];

  const tell = (call: Call, kind: GateAnswer["kind"], message: string): void => {
    const { gate: name, since, bridge } = call.question;
    const before = call.answer;
    call.answer = { name, since, kind, message };
    if (before?.kind === kind && before.message === message) return;
    for (const listener of listeners) listener(bridge);
  };

  /** One try; the milliseconds until the next, undefined where there is to be none. */
  const attempt = async (call: Call, tries: number): Promise<number | undefined> => {
    const { receiver, timeoutMs } = call.question;
    const { signal } = call.given;
    const webhook = receivers.get(receiver)?.webhook;
    const verdict: Verdict = webhook
      ? await webhook.ask(call.question, tries, timeoutMs, signal)
      : { kind: "Error", reason: `gateWebhooks of the operator's settings has no "${receiver}" any more` };
    if (signal.aborted) return undefined;
    if (webhook) metrics.tries.inc({ receiver, result: RESULTS[verdict.kind] });
    if (verdict.kind === "Passed" || verdict.kind === "Failed") {
      tell(call, verdict.kind, verdict.reason);
      return undefined;
    }
    tell(call, "Waiting", verdict.reason);
    if (verdict.kind === "Wait") return verdict.afterMs;
    if (tries === 1) {
      const { gate, bridge } = call.question;
      log.info(
        { gate, receiver, why: verdict.reason, ...bridge },
        "a gate has no verdict yet; it is asked again",
      );
    }
    return Math.max(backoffMs(tries, ...BACKOFF_MS, random), verdict.afterMs ?? 0);
  };

  const run = async (call: Call): Promise<void> => {
    const { signal } = call.given;
    for (let tries = 1; !signal.aborted; tries++) {
      const pauseMs = await attempt(call, tries);
      if (pauseMs === undefined) return;
      await sleep(clock, pauseMs, signal);
    }
  };

  const begin = (question: WebhookQuestion): Call => {
    const call: Call = { given: new AbortController(), question, answer: undefined };
    const ended = run(call).finally(() => running.delete(ended));
    running.add(ended);
    return call;
  };

  const giveUp = (key: string, but: ReadonlySet<string> = new Set()): void => {
    const known = calls.get(key);
    for (const [id, call] of known ?? []) {
      if (but.has(id)) continue;
      call.given.abort();
      known?.delete(id);
    }
    if (known?.size === 0) calls.delete(key);
  };

  return {
    follow(key, questions) {
      const bridge = formatKey(key);
      const ids = questions.map(questionId);
      giveUp(bridge, new Set(ids));
      if (questions.length === 0) return [];
      const known = calls.get(bridge) ?? new Map<string, Call>();
      calls.set(bridge, known);
      return questions.flatMap((question, index) => {
        const id = ids[index] ?? "";
        const call = known.get(id) ?? begin(question);
        // Until when it counts, and how long a try may take, may have been edited.
        call.question = question;
        known.set(id, call);
        return call.answer ?? [];
      });
    },
    forget: (key) => giveUp(formatKey(key)),
    configure(wanted) {
      const before = receivers;
      receivers = new Map(
        wanted.map((settings) => {
          const text = JSON.stringify(settings);
          const old = before.get(settings.name);
          if (old === undefined) beginSeries(metrics, settings.name);
          if (old?.text === text) return [settings.name, old];
          return [settings.name, { text, webhook: open(settings, clock.now) }];
        }),
      );
      for (const [name, old] of before) {
        const now = receivers.get(name);
        if (now !== old) void old.webhook.close();
        if (now === undefined) endSeries(metrics, name);
      }
    },
    onAnswer: (listener) => void listeners.push(listener),
    async close() {
      for (const key of [...calls.keys()]) giveUp(key);
      await Promise.all(running);
      await Promise.all([...receivers.values()].map(({ webhook }) => webhook.close()));
    },
  };
}
