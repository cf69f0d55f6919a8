import type { Logger } from "pino";
import type { FaultDomain } from "../../contract/metrics.ts";

/** What went wrong, as clients see it in `error.code`. Stable: programs switch on it. */
export type FailureCode =
  | "invalid_json"
  | "invalid_request"
  | "body_too_large"
  | "model_not_found"
  | "not_found"
  | "method_not_allowed"
  | "bridge_error"
  | "bridge_overloaded"
  | "bridge_shutting_down"
  | "client_closed"
  | "client_too_slow"
  | "request_timeout"
  | "upstream_credentials"
  | "upstream_redirect"
  | "upstream_page"
  | "upstream_connect_timeout"
  | "upstream_first_byte_timeout"
  | "upstream_idle_timeout"
  | "upstream_unreachable"
  | "upstream_reset"
  | "upstream_incomplete"
  | "upstream_error"
  | "too_many_messages"
  | "history_lost";

/** A request that cannot be answered: what to tell the caller, and whose fault it is. */
export interface Failure {
  readonly status: number;
  readonly domain: FaultDomain;
  readonly code: FailureCode;
  /** Place, value, rule, remedy in one sentence. */
  readonly message: string;
  /** The request field at fault, as in OpenAI's error shape. */
  readonly param?: string;
  /** Seconds for a Retry-After header. */
  readonly retryAfterSeconds?: number;
}

function typeOf(failure: Failure): string {
  if (failure.status === 429) return "rate_limit_error";
  if (failure.domain === "client") return "invalid_request_error";
  return failure.domain === "upstream" ? "upstream_error" : "server_error";
}

/** The `error` object of OpenAI's API. */
export function errorObject(failure: Failure): Record<string, unknown> {
  return {
    message: failure.message,
    type: typeOf(failure),
    param: failure.param ?? null,
    code: failure.code,
  };
}

/** Warns of a failure that is not the client's doing; its words hold nothing of request or answer. */
export function warnOf(
  log: Pick<Logger, "warn">,
  { domain, code, message }: Failure,
  about: { readonly requestId: string; readonly upstream: string | undefined },
): void {
  log.warn({ ...about, domain, code }, message);
}

/** The body `{error: {...}}` of OpenAI's API. */
export function errorBody(failure: Failure): Buffer {
  return Buffer.from(JSON.stringify({ error: errorObject(failure) }));
}

export function clientFailure(status: number, code: FailureCode, message: string, param?: string): Failure {
  return { status, domain: "client", code, message, ...(param === undefined ? {} : { param }) };
}

/** An exception in the bridge: the caller learns the request id, the log holds the rest. */
export function bridgeFailure(requestId: string): Failure {
  return {
    status: 500,
    domain: "bridge",
    code: "bridge_error",
    message: `The bridge failed on request ${requestId}; report this id to whoever runs the bridge.`,
  };
}
