import { createSignedPost, postFailure } from "../egress/signed-post.ts";
import type { TlsFiles } from "../egress/tls-files.ts";
import { createLimiter } from "../kube/limiter.ts";
import { type GateQuestion, questionBody, questionId } from "./question.ts";
import { gateUrl } from "./url.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** One receiver of questions as the administrator describes it. */
export interface WebhookSettings {
  readonly name: string;
  readonly url?: string | undefined;
  /** File that holds the URL, where the URL itself is the secret. */
  readonly urlFile?: string | undefined;
  /** File of the keys that sign. */
  readonly secretFile?: string | undefined;
  readonly tls?: TlsFiles | undefined;
}

export interface Webhook {
  /** Asks once; never rejects. What comes of a try that the signal ends is of no use. */
  ask(question: GateQuestion, attempt: number, timeoutMs: number, signal: AbortSignal): Promise<Verdict>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** Longest answer that is read. */
const MOST_ANSWER_BYTES = 64 * 1024;
/** Questions under way at one receiver; a try's time begins when it is one of them. */
const AT_ONCE = 4;
/** The longest that a bridge may set for one try. */
const LONGEST_TRY_MS = 60_000;

export function createWebhook(settings: WebhookSettings, now: () => number): Webhook {
  const outlet = createSignedPost({
    ...settings,
    ...{ urlOf: gateUrl, connections: AT_ONCE, timeoutMs: LONGEST_TRY_MS, maxBytes: MOST_ANSWER_BYTES },
  });
  const limiter = createLimiter(AT_ONCE);

  const post = async (question: GateQuestion, attempt: number, signal: AbortSignal): Promise<Verdict> => {
    const message = {
      id: questionId(question),
      contentType: "application/cloudevents+json; charset=utf-8",
      body: questionBody(question, attempt),
    };
    const { status, headers, text } = await outlet.send(message, now(), signal);
    return verdictOf(status, headers, await text(), now());
  };

  return {
    async ask(question, attempt, timeoutMs, signal) {
      let release: (() => void) | undefined;
      try {
        release = await limiter.acquire(signal);
        return await post(question, attempt, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      } catch (error) {
        return { kind: "Error", reason: reasonOf(error, timeoutMs) };
      } finally {
        release?.();
      }
    },
    close: outlet.close,
  };
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
    return `an answer of more than ${MOST_ANSWER_BYTES / 1024} KiB`;
  return postFailure(error, timeoutMs);
}
