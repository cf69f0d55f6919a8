import type { Numberless, Series } from "./response.ts";

/**
 * TooLarge: the answer was longer than `maxBytes`; a shorter range may work. TooMuch: the source could not evaluate the query (HTTP 422, its limits, or 5xx);
 * a shorter range may work here too. Credentials: ours cannot be read, and the source was not asked. Tls:
 * no connection that both sides trust. Away: it was not asked, because it has just been found to give no answer (circuit.ts).
 */
type QueryProblem =
  | "Unreachable"
  | "Tls"
  | "Timeout"
  | "Refused"
  | "TooLarge"
  | "TooMuch"
  | "Unreadable"
  | "Partial"
  | "Credentials"
  | "Away";

export type QueryResult =
  | { readonly ok: true; readonly series: readonly Series[]; readonly numberless?: Numberless }
  | { readonly ok: false; readonly problem: QueryProblem; readonly message: string };

const problem = (kind: QueryProblem, message: string): QueryResult => ({ ok: false, problem: kind, message });

/** An answer with another status than 200. */
export function refused(status: number): QueryResult {
  const remedy =
    status === 401 || status === 403
      ? "; check bearerTokenFile, basicAuth, tls.certFile, tenant and headers of the source in the operator's settings."
      : status === 404 || (status >= 300 && status < 400)
        ? "; check the path in its URL (Mimir has /prometheus, VictoriaMetrics in a cluster /select/0/prometheus)."
        : ".";
  const kind = status === 422 || status >= 500 ? "TooMuch" : "Refused";
  return problem(kind, `The metric source answered a query with HTTP status ${status}${remedy}`);
}

const TIMEOUT_CODES = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT"]);
const ENDED = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
/** OpenSSL's words for a certificate that is not trusted, as Node passes them on. */
const UNTRUSTED =
  /^(UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_|CERT_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)/;

export interface Limits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly isTls: boolean;
}

/** What went wrong before there was an answer. */
export function caught(error: unknown, { timeoutMs, maxBytes, isTls }: Limits): QueryResult {
  const name = error instanceof Error ? error.name : "";
  const codes = codesOf(error);
  const [code = ""] = codes;
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
    return problem("TooLarge", `The answer of the metric source is longer than ${maxBytes} bytes.`);
  if (name === "TimeoutError" || TIMEOUT_CODES.has(code))
    return problem("Timeout", `The metric source did not answer within ${timeoutMs / 1000} s.`);
  const untrusted = codes.find((one) => UNTRUSTED.test(one));
  if (untrusted !== undefined) {
    return problem(
      "Tls",
      `The certificate of the metric source is not trusted (${untrusted}); set tls.caFile to the authority that signed it, or tls.serverName to a name that it holds.`,
    );
  }
  const broken = codes.find((one) => /^(EPROTO|ERR_SSL_)/.test(one));
  if (broken !== undefined) {
    return problem(
      "Tls",
      `There is no TLS connection to the metric source (${broken}); check http or https in its URL, and tls.certFile if it asks for a certificate.`,
    );
  }
  // How a server refuses a certificate, or the lack of one, since TLS 1.3: after the handshake, and Node hides its reason.
  if (isTls && codes.some((one) => ENDED.has(one))) {
    return problem(
      "Unreachable",
      "The metric source ended the connection without an answer; check its pods, and tls.certFile if it asks for a certificate.",
    );
  }
  return problem(
    "Unreachable",
    "The metric source cannot be reached; check its URL, its pods and network policies.",
  );
}

/** Codes of an error and of what caused it, outermost first. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = "code" in error && typeof error.code === "string" ? [error.code] : [];
  return [...own, ...codesOf(error.cause)];
}
