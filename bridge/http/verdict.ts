import type { FaultDomain } from "../../contract/metrics.ts";
import { clientFailure, type Failure } from "./failure.ts";

/** Whose fault an upstream's status is: 429 and 5xx the upstream's, other 4xx the caller's. */
export function domainOfStatus(status: number): FaultDomain | undefined {
  if (status < 400) return undefined;
  return status === 429 || status >= 500 ? "upstream" : "client";
}

/** 401 and 403 concern the bridge's own credentials: the caller's were not sent. A wrong Secret is a broken configuration. */
export function credentialsRefused(upstream: string, status: number): Failure {
  return {
    status: 502,
    domain: "bridge",
    code: "upstream_credentials",
    message: `Upstream ${upstream} refused the bridge's credentials (${status}); correct the Secret that the upstream's secretRef names.`,
  };
}

export function incompleteStream(upstream: string): Failure {
  return {
    status: 502,
    domain: "upstream",
    code: "upstream_incomplete",
    message: `Upstream ${upstream} ended its stream without the terminal event; the answer is not complete, try again.`,
  };
}

/** The answer began well and says itself that it failed; the caller has read that. */
export function errorWithin(upstream: string): Failure {
  return {
    status: 502,
    domain: "upstream",
    code: "upstream_error",
    message: `Upstream ${upstream} reported an error within an answer of status 200; look at its log.`,
  };
}

const REMEDIES: Readonly<Record<FaultDomain, string>> = {
  client: "send requests in one go, and read answers as they come",
  upstream: "ask for a shorter answer, or look at whether the upstream is slow",
  bridge: "try again later, or give the bridge more pods",
};

/**
 * A request was not over in the time that any may take.
 * @param by Who was waited for.
 * @param ms `limits.requestMs`.
 */
export function requestTimeout(by: FaultDomain, ms: number): Failure {
  return {
    status: by === "client" ? 408 : 504,
    domain: by,
    code: "request_timeout",
    message: `The request was not over within ${ms} ms, waiting for the ${by}; ${REMEDIES[by]}.`,
  };
}

export function slowClient(ms: number): Failure {
  return clientFailure(
    408,
    "client_too_slow",
    `The answer was not read for ${ms} ms; read streams as they come, or ask for an answer in one piece.`,
  );
}
