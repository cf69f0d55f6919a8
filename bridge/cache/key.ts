import { createHash } from "node:crypto";
import type { RouteLabel } from "../../contract/metrics.ts";

/** A digest that only `cacheKey` makes, so that no entry can be addressed without its tenant. */
export type CacheKey = string & { readonly __brand: "CacheKey" };

/** What an answer depends on. */
export interface CacheSubject {
  /** Namespace and name of the bridge: a Redis shared by two bridges must not mix them. */
  readonly scope: string;
  /** The caller; two tenants never share an entry, even for equal requests. */
  readonly tenant: string;
  readonly route: RouteLabel;
  /** Where the request goes: upstream and the model's name there. Replaces `model` of the body. */
  readonly upstreamModel: string;
  /** The parsed request body. */
  readonly body: unknown;
}

/** Raise when the meaning of a key or the layout of a stored answer changes. */
const KEY_VERSION = 1;

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

/** Requests nested deeper than this are not cached: writing the canonical form recurses. */
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
 * `stream` is part of the key, since the two forms of an answer differ in bytes. Absent, null and (for `stream`) false are one.
 */
export function cacheKey(subject: CacheSubject): CacheKey | undefined {
  const { body } = subject;
  if (subject.route !== "chat" && subject.route !== "embeddings") return undefined;
  if (!isRecord(body)) return undefined;
  if (subject.route === "chat" && !isRepeatable(body)) return undefined;

  const fields = Object.keys(body)
    .filter((name) => !IGNORED.has(name) && body[name] !== null && body[name] !== undefined)
    .filter((name) => !((name === "stream" || name === "store") && body[name] === false))
    .sort();
  const parts: string[] = [];
  for (const name of fields) {
    const value = canonical(body[name], MAX_DEPTH);
    if (value === undefined) return undefined;
    parts.push(`${JSON.stringify(name)}:${value}`);
  }
  // JSON strings cannot run into each other, so ("a", "bc") and ("ab", "c") differ.
  const head = JSON.stringify([
    KEY_VERSION,
    subject.scope,
    subject.tenant,
    subject.route,
    subject.upstreamModel,
  ]);
  return createHash("sha256").update(head).update(parts.join(",")).digest("base64url") as CacheKey;
}

function isRepeatable(body: Record<string, unknown>): boolean {
  const { temperature, seed, n, tools } = body;
  if (typeof temperature === "number" && temperature > 0 && typeof seed !== "number") return false;
  if (typeof n === "number" && n > 1) return false;
  if (body.store === true) return false;
  if (EFFECTS.some((name) => body[name] !== undefined && body[name] !== null && body[name] !== false))
    return false;
  if (Array.isArray(tools) && tools.some((tool) => !isRecord(tool) || tool.type !== "function")) return false;
  return true;
}

/** JSON with sorted keys; undefined where it is nested too deeply. */
function canonical(value: unknown, depthLeft: number): string | undefined {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (depthLeft === 0) return undefined;
  const parts: string[] = [];
  if (Array.isArray(value)) {
    for (const item of value) {
      const part = canonical(item, depthLeft - 1);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return `[${parts.join(",")}]`;
  }
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record).sort()) {
    const part = canonical(record[name], depthLeft - 1);
    if (part === undefined) return undefined;
    parts.push(`${JSON.stringify(name)}:${part}`);
  }
  return `{${parts.join(",")}}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
