import type { Failure } from "../http/failure.ts";

/** Codes of errors that mean nothing reached the upstream. */
const UNREACHABLE = new Set(["ECONNREFUSED", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);

const TRUST = "build the certificate of its authority into the bridge's image";
const RENEW = "renew the upstream's certificate";

/**
 * Codes of errors that no waiting mends, and what does: the bridge is configured for a name that does not exist, or for a server that it is
 * not to trust. A version of the bridge whose `url` is that wrong has failed. DNS that does not answer (EAI_AGAIN) is another matter.
 */
const MISCONFIGURED: Readonly<Record<string, string>> = {
  ENOTFOUND: "correct the host in the upstream's url, or look at whether a Service of that name has pods",
  ERR_TLS_CERT_ALTNAME_INVALID: "write a host that its certificate holds into the upstream's url",
  DEPTH_ZERO_SELF_SIGNED_CERT: TRUST,
  SELF_SIGNED_CERT_IN_CHAIN: TRUST,
  UNABLE_TO_GET_ISSUER_CERT: TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TRUST,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TRUST,
  CERT_UNTRUSTED: TRUST,
  CERT_HAS_EXPIRED: RENEW,
  CERT_NOT_YET_VALID: RENEW,
  CERT_REVOKED: RENEW,
};

/**
 * Codes of errors that come from the network or from what the upstream sent. Every other error was thrown in this process:
 * out of descriptors, a call that undici refused to make, an exception in a handler.
 */
const FOREIGN = /^(?:UND_ERR_(?!INVALID)|HPE_|ERR_TLS|ERR_SSL|E(?:CONN|PIPE|PROTO|HOST|NET|TIMEDOUT))/;

/** Failures of a moment that end before a connection is made. */
const MOMENTARY = new Set([
  "ECONNREFUSED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether no connection was made, for a reason that may be over soon; a wrong name or certificate is not. */
export const isConnectFailure = ({ code = "" }: Error & { code?: string }): boolean => MOMENTARY.has(code);

/** What an error of the transport means for the caller. */
export function transportFailure(upstream: string, error: Error & { code?: string }): Failure {
  const code = error.code ?? "";
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return {
      status: 504,
      domain: "upstream",
      code: "upstream_connect_timeout",
      message: `Upstream ${upstream} did not accept a connection in time; try again, or look at whether it is up.`,
    };
  }
  const remedy = MISCONFIGURED[code];
  if (remedy !== undefined) {
    return {
      status: 502,
      domain: "bridge",
      code: "upstream_unreachable",
      message: `Upstream ${upstream} cannot be reached as it is configured (${code}); ${remedy}.`,
    };
  }
  if (UNREACHABLE.has(code)) {
    return {
      status: 502,
      domain: "upstream",
      code: "upstream_unreachable",
      message: `Upstream ${upstream} cannot be reached (${code}); try again, or look at whether it is up.`,
    };
  }
  if (!FOREIGN.test(code)) {
    return {
      status: 500,
      domain: "bridge",
      code: "bridge_error",
      message: `The bridge could not make the call to upstream ${upstream} (${code || error.name}); look at its log.`,
    };
  }
  return {
    status: 502,
    domain: "upstream",
    code: "upstream_reset",
    message: `Upstream ${upstream} broke off the connection before its answer was complete; try again.`,
  };
}

export function firstByteTimeout(upstream: string, ms: number): Failure {
  return {
    status: 504,
    domain: "upstream",
    code: "upstream_first_byte_timeout",
    message: `Upstream ${upstream} sent no byte of its answer within ${ms} ms; try again, or raise the upstream's timeouts.firstByte.`,
  };
}

export function idleTimeout(upstream: string, ms: number): Failure {
  return {
    status: 504,
    domain: "upstream",
    code: "upstream_idle_timeout",
    message: `Upstream ${upstream} paused for more than ${ms} ms within its answer; try again, or raise the upstream's timeouts.idle.`,
  };
}

export function overloaded(upstream: string, retryAfterSeconds: number): Failure {
  return {
    status: 503,
    domain: "bridge",
    code: "bridge_overloaded",
    message: `Too many requests wait for upstream ${upstream} in this pod; try again after the time in Retry-After.`,
    retryAfterSeconds,
  };
}
