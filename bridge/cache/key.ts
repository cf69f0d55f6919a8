import { createHash } from "node:crypto";
import type { UpstreamConfig } from "../../contract/config.ts";
import type { RouteLabel } from "../../contract/metrics.ts";
import { isNestedDeeper, isRecord } from "../json-value.ts";

/** A digest that only `cacheKey` makes, so that no entry can be addressed without its tenant. */
export type CacheKey = string & { readonly __brand: "CacheKey" };

/** What an answer depends on. */
export interface CacheSubject {
  /** Namespace and name of the bridge: a Redis shared by two bridges must not mix them. */
  readonly scope: string;
  /** The caller; two tenants never share an entry, even for equal requests. */
  readonly tenant: string;
  readonly route: RouteLabel;
  /** Where the request goes. An upstream that moves keeps its name, but not the answers of the server before it. */
  readonly upstream: Pick<UpstreamConfig, "name" | "protocol" | "url">;
  /** The model's name there. Replaces `model` of the body. */
  readonly model: string;
  /** The parsed request body. */
  readonly body: unknown;
}

/** Raise when the meaning of a key or the layout of a stored answer changes. */
const KEY_VERSION = 2;

/** Fields that change accounting or routing at the provider, never the answer. Everything else is part of the key. */
const IGNORED = new Set([
  "model",
  "user",
  "metadata",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
]);

/** Fields whose value asks for an effect or for a fresh look at the world: such requests are never answered from a cache. */
const EFFECTS = [
  "web_search_options",
  "background",
  "audio",
  "conversation",
  "previous_response_id",
] as const;

/** Requests nested deeper than this are not cached: writing them as JSON recurses. */
const MAX_DEPTH = 64;

/**
 * The key of a request, or undefined where its answer must not be reused:
 * - routes other than chat and embeddings;
 * - `temperature` above 0 without a `seed`: the caller asks for variety. An absent temperature counts as cacheable, because
 *   the caller expressed no wish;
 * - `n` above 1: the caller asks for different answers;
 * - anything with effects or a live view at the provider: `store: true`, hosted tools (a tool whose type is not `function`),
 *   web search, background or conversation state, audio output.
 *
 * The order of the body's own fields does not matter, that of all fields within them does: an answer follows the order in which
 * a schema names its properties.
 *
 * `stream` is part of the key, since the two forms of an answer differ in bytes. Absent, null and (for `stream`) false are one.
 */
export function cacheKey(subject: CacheSubject): CacheKey | undefined {
  const { body, upstream } = subject;
  if (subject.route !== "chat" && subject.route !== "embeddings") return undefined;
  if (!isRecord(body)) return undefined;
  if (subject.route === "chat" && !isRepeatable(body)) return undefined;

  const fields = Object.keys(body)
    .filter((name) => !IGNORED.has(name) && body[name] !== null && body[name] !== undefined)
    .filter((name) => !((name === "stream" || name === "store") && body[name] === false))
    .sort();
  const parts: string[] = [];
  for (const name of fields) {
    const value = body[name];
    if (isNestedDeeper(value, MAX_DEPTH)) return undefined;
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  // JSON strings cannot run into each other, so ("a", "bc") and ("ab", "c") differ.
  const head = JSON.stringify([
    KEY_VERSION,
    subject.scope,
    subject.tenant,
    subject.route,
    upstream.name,
    upstream.protocol,
    upstream.url,
    subject.model,
  ]);
  return createHash("sha256").update(head).update(parts.join(",")).digest("base64url") as CacheKey;
}

function isRepeatable(body: Record<string, unknown>): boolean {
  const { n, tools } = body;
  // Ollama's own place for both; where both are given, OpenAI's wins (upstreams/ollama/request.ts).
  const options = isRecord(body.options) ? body.options : {};
  const temperature = body.temperature ?? options.temperature;
  const seed = body.seed ?? options.seed;
  if (typeof temperature === "number" && temperature > 0 && typeof seed !== "number") return false;
  if (typeof n === "number" && n > 1) return false;
  if (body.store === true) return false;
  if (EFFECTS.some((name) => body[name] !== undefined && body[name] !== null && body[name] !== false))
    return false;
  if (Array.isArray(tools) && tools.some((tool) => !isRecord(tool) || tool.type !== "function")) return false;
  return true;
}
