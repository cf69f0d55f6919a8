import { outboundUrl } from "../egress/guard.ts";
import { retryAfterMs } from "../egress/retry-after.ts";
import { createSignedPost, postFailure } from "../egress/signed-post.ts";
import type { TlsFiles } from "../egress/tls-files.ts";
import { cloudEvent } from "./cloud-event.ts";
import type { DecisionEvent } from "./decision-event.ts";
import { slackMessage } from "./slack.ts";

export interface DeliveryOptions {
  readonly url?: string | undefined;
  /** File that holds the URL, where the URL itself is the secret. */
  readonly urlFile?: string | undefined;
  readonly format: "CloudEvents" | "Slack";
  /** File of the keys that sign. */
  readonly secretFile?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** For the whole of one attempt. */
  readonly timeoutMs: number;
}

/** What became of one attempt. Nothing in it holds the URL, a key, or what the receiver answered. */
export type Attempt =
  | { readonly kind: "Delivered" }
  /** It may work later: nobody answered, or the receiver says so. */
  | { readonly kind: "Later"; readonly why: string; readonly afterMs?: number }
  /** It will not work however often it is tried. */
  | { readonly kind: "Refused"; readonly why: string };

export interface Delivery {
  attempt(event: DecisionEvent): Promise<Attempt>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

const FORMATS = {
  CloudEvents: { contentType: "application/cloudevents+json; charset=utf-8", body: cloudEvent },
  Slack: { contentType: "application/json; charset=utf-8", body: slackMessage },
} as const;

/** An answer is read to its end, so that the connection can be used again, but what stands in it is of no use. */
const MOST_ANSWER_BYTES = 64 * 1024;
const LATER_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** Posts events to one receiver. */
export function createDelivery(options: DeliveryOptions, now: () => number): Delivery {
  const { format, timeoutMs, ...target } = options;
  const outlet = createSignedPost({
    ...target,
    urlOf: (text) => outboundUrl(text, "a receiver of notifications"),
    ...{ timeoutMs, connections: 1, maxBytes: MOST_ANSWER_BYTES },
  });

  const post = async (event: DecisionEvent): Promise<Attempt> => {
    const { contentType, body } = FORMATS[format];
    const message = { id: event.id, contentType, body: body(event) };
    const answer = await outlet.send(message, now(), AbortSignal.timeout(timeoutMs));
    await answer.text().catch(() => undefined);
    return judged(answer.status, answer.headers["retry-after"], now());
  };

  return {
    async attempt(event) {
      try {
        return await post(event);
      } catch (error) {
        return { kind: "Later", why: postFailure(error, timeoutMs) };
      }
    },
    close: outlet.close,
  };
}

function judged(status: number, retryAfter: string | string[] | undefined, nowMs: number): Attempt {
  if (status >= 200 && status < 300) return { kind: "Delivered" };
  const why = `HTTP status ${status}`;
  if (status < 500 && !LATER_STATUSES.has(status)) return { kind: "Refused", why };
  const afterMs = retryAfterMs(retryAfter, nowMs);
  return { kind: "Later", why, ...(afterMs === undefined ? {} : { afterMs }) };
}
