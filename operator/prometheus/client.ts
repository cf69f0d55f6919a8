import { openConnections } from "../egress/connections.ts";
import { CredentialError } from "../egress/credential-file.ts";
import { outboundUrl } from "../egress/guard.ts";
import { credentialHeaders, type SourceCredentials } from "./credentials.ts";
import { caught, type QueryResult, refused } from "./problems.ts";
import { parseAnswer } from "./response.ts";

export interface ClientOptions extends SourceCredentials {
  /** Base URL from the administrator's settings; the path of the query API is added to it. */
  readonly url: string;
  /** Parameters of every query beside the operator's own. */
  readonly parameters?: Readonly<Record<string, string | readonly string[]>>;
  /** Time for a whole query. Default 10 s. */
  readonly timeoutMs?: number;
  /** Longest answer that is read. Default 32 MiB. */
  readonly maxBytes?: number;
}

export interface PrometheusClient {
  /** Evaluates an expression at a moment. Never throws for what the source does; no message holds what it answered, nor a credential. */
  query(expression: string, atMs: number): Promise<QueryResult>;
  /** Ends every connection at once; queries under way are answered `Unreachable`. A process that must end waits for no answer. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;
const CONNECTIONS = 4;
/**
 * VictoriaMetrics answers a question about the last 30 s as of 30 s ago unless it is told not to, and requests would be counted twice. Others ignore it.
 */
const AS_OF_THEN = { nocache: "1" };

/** A client of one source. Redirects are not followed, and only its query path is ever asked. Throws RangeError on a URL that is refused. */
export function createPrometheusClient(options: ClientOptions): PrometheusClient {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options;
  const url = outboundUrl(options.url, "a metric source");
  const path = queryPath(url, options.parameters ?? {});
  const connections = openConnections({
    ...{ url, tls: options.tls, timeoutMs, maxBytes },
    connections: CONNECTIONS,
  });

  async function query(expression: string, atMs: number): Promise<QueryResult> {
    try {
      const [agent, credentials] = await Promise.all([connections.current(), credentialHeaders(options)]);
      const { statusCode, body } = await agent.request({
        origin: url.origin,
        path,
        method: "POST",
        headers: {
          ...credentials,
          "content-type": "application/x-www-form-urlencoded",
          accept: "application/json",
        },
        body: new URLSearchParams({
          query: expression,
          time: (atMs / 1000).toFixed(3),
          timeout: `${timeoutMs}ms`,
          ...AS_OF_THEN,
        }).toString(),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (statusCode !== 200) {
        await body.dump().catch(() => undefined);
        return refused(statusCode);
      }
      const parsed = parseAnswer(await body.text());
      if (parsed.ok) return parsed;
      return parsed.problem === "partial"
        ? {
            ...{ ok: false, problem: "Partial" },
            message: "The metric source gave a partial answer; its stores must all answer.",
          }
        : {
            ...{ ok: false, problem: "Unreadable" },
            message: "The answer of the metric source is not one of the Prometheus query API; check its URL.",
          };
    } catch (error) {
      if (error instanceof CredentialError)
        return { ok: false, problem: "Credentials", message: error.message };
      return caught(error, { timeoutMs, maxBytes, isTls: url.protocol === "https:" });
    }
  }

  return { query, close: () => connections.destroy() };
}

/** Where proxies see them. The operator's own parameters go in the body, which wins where both have one. */
function queryPath(base: URL, parameters: NonNullable<ClientOptions["parameters"]>): string {
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of typeof value === "string" ? [value] : value) added.append(name, one);
  }
  const path = `${base.pathname.replace(/\/+$/, "")}/api/v1/query`;
  return added.size === 0 ? path : `${path}?${added}`;
}
