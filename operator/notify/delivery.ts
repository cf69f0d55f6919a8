import { type OutboundConnections, openConnections } from "../egress/connections.ts";
import { CredentialError, readSecretLine } from "../egress/credential-file.ts";
import { outboundUrl } from "../egress/guard.ts";
import type { TlsFiles } from "../egress/tls-files.ts";
import { cloudEvent } from "./cloud-event.ts";
import type { DecisionEvent } from "./decision-event.ts";
import { readKeys, signatureHeaders } from "./signature.ts";
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
/** A receiver may ask to be left alone, but not for ever. */
const LONGEST_RETRY_AFTER_MS = 15 * 60_000;
const LATER_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** Posts events to one receiver; files are read for every attempt, so that what was rotated is used at once. Redirects are not followed. */
export function createDelivery(options: DeliveryOptions, now: () => number): Delivery {
  const { format, timeoutMs } = options;
  let open: { readonly href: string; readonly connections: OutboundConnections } | undefined;

  const connectionsTo = (url: URL): OutboundConnections => {
    if (open?.href === url.href) return open.connections;
    void open?.connections.destroy();
    const connections = openConnections({
      ...{ url, tls: options.tls, timeoutMs },
      ...{ connections: 1, maxBytes: MOST_ANSWER_BYTES },
    });
    open = { href: url.href, connections };
    return connections;
  };

  const post = async (event: DecisionEvent): Promise<Attempt> => {
    const url = await urlOf(options);
    const { contentType, body } = FORMATS[format];
    const text = body(event);
    const keys = options.secretFile === undefined ? [] : await readKeys(options.secretFile);
    const agent = await connectionsTo(url).current();
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "POST",
      headers: { "content-type": contentType, ...signatureHeaders(keys, event.id, text, now()) },
      body: text,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body.dump().catch(() => undefined);
    return judged(answer.statusCode, answer.headers["retry-after"], now());
  };

  return {
    async attempt(event) {
      try {
        return await post(event);
      } catch (error) {
        if (error instanceof CredentialError || error instanceof RangeError)
          return { kind: "Later", why: error.message };
        const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
        const late = error instanceof Error && error.name === "TimeoutError";
        return {
          kind: "Later",
          why: late ? `no answer within ${timeoutMs / 1000} s` : `no connection${code}`,
        };
      }
    },
    async close() {
      await open?.connections.destroy();
    },
  };
}

async function urlOf({ url, urlFile }: DeliveryOptions): Promise<URL> {
  const text = urlFile === undefined ? (url ?? "") : await readSecretLine(urlFile, "urlFile");
  return outboundUrl(text, "a receiver of notifications");
}

function judged(status: number, retryAfter: string | string[] | undefined, nowMs: number): Attempt {
  if (status >= 200 && status < 300) return { kind: "Delivered" };
  const why = `HTTP status ${status}`;
  if (status < 500 && !LATER_STATUSES.has(status)) return { kind: "Refused", why };
  const afterMs = retryAfterMs(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, nowMs);
  return { kind: "Later", why, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms));
}
