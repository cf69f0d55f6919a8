/** How the stand-in behaves; every number may be changed while it runs. */
export interface Knobs {
  /** Wait before anything is answered, in milliseconds. Default 20. */
  readonly delayMs: number;
  /** Further wait of a stream before its head and first token, in milliseconds. Default 20. */
  readonly timeToFirstTokenMs: number;
  /** Wait between the tokens of a stream, in milliseconds. Default 10. */
  readonly tokenGapMs: number;
  /** Tokens of an answer. Default 16. */
  readonly tokens: number;
  /** Share of requests answered with status 500. Default 0. */
  readonly errorShare: number;
  /** Share of requests answered with status 429 and Retry-After. Default 0. */
  readonly status429Share: number;
  /** Retry-After of those, in seconds. Default 1. */
  readonly retryAfterSeconds: number;
  /** Share of streams whose socket is reset after half their tokens. Default 0. */
  readonly midStreamResetShare: number;
  /** Numbers of an embedding. Default 32. */
  readonly dimensions: number;
}

export const DEFAULT_KNOBS: Knobs = {
  delayMs: 20,
  timeToFirstTokenMs: 20,
  tokenGapMs: 10,
  tokens: 16,
  errorShare: 0,
  status429Share: 0,
  retryAfterSeconds: 1,
  midStreamResetShare: 0,
  dimensions: 32,
};

const NAMES = Object.keys(DEFAULT_KNOBS) as (keyof Knobs)[];

export type ReadKnobs =
  | { readonly ok: true; readonly knobs: Knobs }
  | { readonly ok: false; readonly problem: string };

/** The knobs in force with some of them replaced. */
export function withKnobs(knobs: Knobs, changes: Readonly<Record<string, unknown>>): ReadKnobs {
  const changed: Record<keyof Knobs, number> = { ...knobs };
  for (const [name, value] of Object.entries(changes)) {
    const known = NAMES.find((candidate) => candidate === name);
    if (known === undefined) return { ok: false, problem: `${name}: no such knob; use ${NAMES.join(", ")}.` };
    const limit = name.endsWith("Share") ? 1 : Number.MAX_SAFE_INTEGER;
    if (typeof value !== "number" || !(value >= 0 && value <= limit)) {
      return { ok: false, problem: `${name}: ${JSON.stringify(value)} is not a number from 0 to ${limit}.` };
    }
    changed[known] = value;
  }
  return { ok: true, knobs: changed };
}

const STREAM_SECONDS = /-stream-(\d+(?:\.\d+)?)s/;

/** Token gap of a stream whose length is given in seconds: few enough events that hundreds of such streams cost little. */
const LONG_GAP_MS = 500;

/**
 * The knobs for one request by its model's name, so that a client behind a bridge can set them: `m?tokens=5&delayMs=0`
 * replaces single knobs, `m-stream-60s` asks for a stream of that length.
 */
export function knobsOfModel(knobs: Knobs, model: string): ReadKnobs {
  const query = model.indexOf("?");
  const changes: Record<string, number> = {};
  const seconds = STREAM_SECONDS.exec(model)?.[1];
  if (seconds !== undefined) {
    changes.tokenGapMs = LONG_GAP_MS;
    changes.tokens = Math.max(1, Math.round((Number(seconds) * 1000) / LONG_GAP_MS));
  }
  if (query !== -1) {
    for (const [name, value] of new URLSearchParams(model.slice(query + 1))) changes[name] = Number(value);
  }
  return withKnobs(knobs, changes);
}
