import type { TokenCount } from "../upstreams/sink.ts";

const MARK = '"usage":';

/** End of the JSON object that starts at `start`, or -1. Usage holds numbers and objects of numbers, so strings need no care. */
function objectEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return at + 1;
  }
  return -1;
}

function tokens(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.floor(value) : 0;
}

/**
 * The last usage object in an answer of OpenAI's API, or in the end of its stream, found without parsing the rest.
 * Text of the answer cannot be taken for it: quotes inside a JSON string are escaped.
 */
export function findUsage(text: string): TokenCount | undefined {
  for (let mark = text.lastIndexOf(MARK); mark !== -1; mark = text.lastIndexOf(MARK, mark - 1)) {
    const start = text.slice(mark + MARK.length, mark + MARK.length + 8).search(/\S/) + mark + MARK.length;
    if (text[start] !== "{") {
      if (mark === 0) return undefined;
      continue;
    }
    const end = objectEnd(text, start);
    if (end === -1) return undefined;
    try {
      const usage = JSON.parse(text.slice(start, end)) as Record<string, unknown>;
      return { promptTokens: tokens(usage.prompt_tokens), completionTokens: tokens(usage.completion_tokens) };
    } catch {
      return undefined;
    }
  }
  return undefined;
}
