/**
 * Most levels of arrays and objects within each other that are taken from outside, the outermost included. Far above what schemas and
 * messages have, and far below the some 4,000 that JSON.parse still reads, but that overflow the stack of all that walks them later,
 * JSON.stringify first.
 */
export const MAX_NESTING = 200;
/** What is wrong with a body that has more, and what to send instead. */
export const NESTED_TOO_DEEP = `body: nested deeper than ${MAX_NESTING} levels; send arrays and objects that are flatter.`;

/** Whether a parsed value has more levels than given. Costs a few per cent of the parsing: texts and numbers are not looked at. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && isNestedDeeper(item, levels - 1)) return true;
    return false;
  }
  const fields = value as Record<string, unknown>;
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && isNestedDeeper(field, levels - 1)) return true;
  }
  return false;
}

/** Larger texts are treated with care: what costs little for each byte of a message holds all other requests up in one of 50 MiB. */
export const LARGE_BYTES = 2 ** 20;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Strings are read byte by byte up to this length; longer ones, such as images, are searched as a whole, which is many times as fast. */
const SHORT_BYTES = 64;

/** Where the string ends whose first byte stands at `at`; the text's length where it does not. */
function closingQuote(text: Buffer, at: number): number {
  let from = at;
  while (from < at + SHORT_BYTES) {
    const byte = text[from];
    if (byte === QUOTE || byte === undefined) return from;
    from += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = text.indexOf(QUOTE, from);
    if (quote === -1) return text.length;
    let escapes = 0;
    while (quote - escapes > from && text[quote - escapes - 1] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
    from = quote + 1;
  }
}

/**
 * Whether a text has more levels of brackets outside of strings than given, which is asked before it is parsed: millions of arrays within each other
 * are gigabytes once they are parsed. False for a text of at most `LARGE_BYTES`, whose value is small enough to ask `isNestedDeeper`.
 */
export function isLargeAndNestedDeeper(text: Buffer, levels: number): boolean {
  if (text.length <= LARGE_BYTES) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      at = closingQuote(text, at + 1);
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > levels) return true;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth--;
    }
  }
  return false;
}

/** Whether a parsed value is an object, and not null or an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
