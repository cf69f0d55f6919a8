import { readFile } from "node:fs/promises";
import { Agent } from "../kube/undici.ts";
import { guardedLookup, sourceUrl } from "./egress.ts";
import { parseAnswer, type Series } from "./response.ts";

export interface ClientOptions {
  /** Base URL from the administrator's settings; the path of the query API is added to it. */
  readonly url: string;
  /** File that holds a bearer token, read for every query, so that a rotated token is used at once. */
  readonly bearerTokenFile?: string;
  /** Time for a whole query. Default 10 s. */
  readonly timeoutMs?: number;
  /** Longest answer that is read. Default 32 MiB. */
  readonly maxBytes?: number;
}

/**
 * TooLarge: the answer was longer than `maxBytes`; a shorter range may work. Away: it was not asked, because it has just been found to give
 * no answer (circuit.ts).
 */
type QueryProblem =
  | "Unreachable"
  | "Timeout"
  | "Refused"
  | "TooLarge"
  | "Unreadable"
  | "Partial"
  | "Token"
  | "Away";

export type QueryResult =
  | { readonly ok: true; readonly series: readonly Series[] }
  | { readonly ok: false; readonly problem: QueryProblem; readonly message: string };

export interface PrometheusClient {
  /** Evaluates an expression at a moment. Never throws for what the source does; no message holds what it answered. */
  query(expression: string, atMs: number): Promise<QueryResult>;
  /** Ends every connection at once; queries under way are answered `Unreachable`. A process that must end waits for no answer. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** A client of one source. Redirects are not followed, and only its query path is ever asked. Throws RangeError on a URL that is refused. */
export function createPrometheusClient(options: ClientOptions): PrometheusClient {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options;
  const base = sourceUrl(options.url);
  const path = `${base.pathname.replace(/\/+$/, "")}/api/v1/query`;
  const agent = new Agent({
    connections: 4,
    connect: { lookup: guardedLookup(base.hostname), timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxBytes,
  });

  async function query(expression: string, atMs: number): Promise<QueryResult> {
    let authorization: Record<string, string>;
    try {
      authorization = await bearer(options.bearerTokenFile);
    } catch {
      return problem(
        "Token",
        "The bearer token file of the metric source cannot be read; check its path and mount.",
      );
    }
    try {
      const { statusCode, body } = await agent.request({
        origin: base.origin,
        path,
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          accept: "application/json",
          ...authorization,
        },
        body: new URLSearchParams({
          query: expression,
          time: (atMs / 1000).toFixed(3),
          timeout: `${timeoutMs}ms`,
        }).toString(),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (statusCode !== 200) {
        await body.dump().catch(() => undefined);
        return problem("Refused", `The metric source answered a query with HTTP status ${statusCode}.`);
      }
      const parsed = parseAnswer(await body.text());
      if (parsed.ok) return parsed;
      return parsed.problem === "partial"
        ? problem("Partial", "The metric source gave a partial answer; its stores must all answer.")
        : problem(
            "Unreadable",
            "The answer of the metric source is not one of the Prometheus query API; check its URL.",
          );
    } catch (error) {
      return caught(error, timeoutMs, maxBytes);
    }
  }

  return { query, close: () => agent.destroy() };
}

async function bearer(file: string | undefined): Promise<Record<string, string>> {
  if (file === undefined) return {};
  return { authorization: `Bearer ${(await readFile(file, "utf8")).trim()}` };
}

function problem(kind: QueryProblem, message: string): QueryResult {
  return { ok: false, problem: kind, message };
}

const TIMEOUT_CODES = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT"]);

function caught(error: unknown, timeoutMs: number, maxBytes: number): QueryResult {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const name = error instanceof Error ? error.name : "";
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
    return problem("TooLarge", `The answer of the metric source is longer than ${maxBytes} bytes.`);
  if (name === "TimeoutError" || TIMEOUT_CODES.has(code))
    return problem("Timeout", `The metric source did not answer within ${timeoutMs / 1000} s.`);
  return problem(
    "Unreachable",
    "The metric source cannot be reached; check its URL, its pods and network policies.",
  );
}
