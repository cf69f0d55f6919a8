/** What to count. */
export interface TokenCount {
  /** The model's name; decides the vocabulary. */
  readonly model: string;
  /** The texts whose tokens are summed. What a chat template adds around them (about 4 tokens a message) is not. */
  readonly texts: readonly string[];
}

/**
 * The same as bytes. A thread gets these instead of strings because they lie outside its heap: a string larger than what is
 * left of a thread's heap would not end the thread but abort the whole process (V8 cannot grow for one allocation).
 */
export interface EncodedCount {
  readonly model: string;
  /** The texts in UTF-8, one after the other, in memory of their own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each text ends. */
  readonly ends: readonly number[];
}

export function encodeCount(count: TokenCount): EncodedCount {
  const total = count.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const bytes = Buffer.allocUnsafeSlow(total);
  let end = 0;
  const ends = count.texts.map((text) => {
    end += bytes.write(text, end);
    return end;
  });
  return { model: count.model, bytes, ends };
}

type Counter = (text: string) => number;

/** A text is counted in slices of at most this many bytes, because merging is quadratic in an unbroken run. */
const SLICE_BYTES = 1_024;

/** How far before its end a slice is cut at a space, if there is one. */
const SPACE_WITHIN_BYTES = 256;

/** The vocabulary before GPT-4o. Every other model, ours or not, is counted in o200k, the nearest that is at hand. */
const CL100K = /^(gpt-4(?!o|\.)|gpt-3\.5|text-embedding-|text-davinci-)/;

const counters = new Map<string, Promise<Counter>>();

/**
 * Tokens of the texts. Exact for OpenAI's models but for a token at each cut of a text without spaces; an estimate (within about 20 %) for others.
 * The first call of a vocabulary loads it: about 0.2 s and 30 MiB of heap, so it is called in worker threads where there are any.
 */
export async function countTokensHere(job: EncodedCount): Promise<number> {
  const vocabulary = CL100K.test(job.model) ? "cl100k" : "o200k";
  let counter = counters.get(vocabulary);
  if (counter === undefined) {
    counter = loadCounter(vocabulary);
    counters.set(vocabulary, counter);
  }
  const count = await counter;
  // A view on the same memory: what a thread is given is no Buffer any more.
  const bytes = Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.byteLength);
  let total = 0;
  let start = 0;
  for (const end of job.ends) {
    while (start < end) {
      const stop = end - start <= SLICE_BYTES ? end : cutBefore(bytes, start + SLICE_BYTES);
      total += count(bytes.toString("utf8", start, stop));
      start = stop;
    }
  }
  return total;
}

/**
 * A place to cut at or a little before `at`: before the space between two words, where both vocabularies begin a new piece, so
 * that nothing is lost; in a text without spaces at the start of a character, where at most one token is.
 */
function cutBefore(bytes: Buffer, at: number): number {
  const SPACE = 0x20;
  for (let place = at; place > at - SPACE_WITHIN_BYTES; place--) {
    if (bytes[place] === SPACE && (bytes[place - 1] ?? 0) > SPACE && (bytes[place + 1] ?? 0) > SPACE)
      return place;
  }
  let place = at;
  // Continuation bytes of UTF-8 are 10xxxxxx.
  while (((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}

/**
 * The tokenizer remembers the pieces that it has merged, which makes prose several times as fast, but by number and not by size:
 * left alone, noise filled a thread's heap. So few are kept, and all are forgotten after this many bytes.
 */
const REMEMBERED_PIECES = 5_000;
const FORGET_AFTER_BYTES = 512 * 1024;

async function loadCounter(vocabulary: "cl100k" | "o200k"): Promise<Counter> {
  const { clearMergeCache, countTokens, setMergeCacheSize } =
    vocabulary === "cl100k"
      ? await import("gpt-tokenizer/encoding/cl100k_base")
      : await import("gpt-tokenizer/encoding/o200k_base");
  setMergeCacheSize(REMEMBERED_PIECES);
  // Without this a caller's text that contains "<|endoftext|>" throws; to the model it is text like any other.
  const plain = { disallowedSpecial: new Set<string>() };
  let counted = 0;
  return (text) => {
    counted += text.length;
    if (counted > FORGET_AFTER_BYTES) {
      clearMergeCache();
      counted = 0;
    }
    return countTokens(text, plain);
  };
}
