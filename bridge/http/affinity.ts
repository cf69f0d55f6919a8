import type { IncomingHttpHeaders } from "node:http";
import {
  AFFINITY_HEADER,
  type AffinityOrder,
  type AffinityRound,
  LOTS,
  lotValue,
  parseAffinity,
} from "../../contract/affinity.ts";

/** Of the last request with an order: during a rollout they are nearly all the same. */
let last: { readonly text: string; readonly order: AffinityOrder | undefined } | undefined;

function orderOf(text: string): AffinityOrder | undefined {
  if (last?.text !== text) last = { text, order: parseAffinity(text) };
  return last.order;
}

/**
 * The Set-Cookie value of a response, where the route asks for one: the client's lot in the rollout under way, again with its whole age; or an end to
 * the cookie of one that is over. Undefined where there is nothing to set.
 * @param random uniform in 0..1
 */
export function affinityCookie(
  headers: IncomingHttpHeaders,
  revision: string,
  random: () => number = Math.random,
): string | undefined {
  const text = headers[AFFINITY_HEADER];
  if (typeof text !== "string") return undefined;
  const order = orderOf(text);
  if (order === undefined) return undefined;
  const { cookie, round } = order;
  const had = cookieOf(headers.cookie, cookie);
  if (round === undefined) return had === undefined ? undefined : setCookie(headers, cookie, "", 0);
  const value = isOfRound(had, round) ? had : drawn(round, revision, random);
  return value === undefined ? undefined : setCookie(headers, cookie, value, round.maxAgeSeconds);
}

/** A lot among those of the version that answers; undefined where it has none, as a stable pod at 100 %. */
function drawn({ id, canary, weight }: AffinityRound, revision: string, random: () => number) {
  const [from, to] = revision === canary ? [0, weight] : [weight, LOTS];
  return from < to ? lotValue(id, from + Math.floor(random() * (to - from))) : undefined;
}

function isOfRound(value: string | undefined, { id }: AffinityRound): value is string {
  return value?.startsWith(`${id}.`) === true && /^\d\d$/.test(value.slice(id.length + 1));
}

/** The first cookie of that name. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** For this host alone, out of reach of scripts, not sent along by other sites; over TLS alone where the client came by TLS. */
function setCookie(headers: IncomingHttpHeaders, name: string, value: string, maxAgeSeconds: number): string {
  const secure = headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}
