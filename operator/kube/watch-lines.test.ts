import { describe, expect, it } from "vitest";
import { MAX_EVENT_BYTES, parseLines } from "./watch-lines.ts";

async function parse(...chunks: (string | Uint8Array)[]): Promise<unknown[]> {
  const parsed: unknown[] = [];
  async function* stream() {
    for (const chunk of chunks) yield [typeof chunk === "string" ? Buffer.from(chunk) : chunk];
  }
  for await (const line of parseLines(stream())) parsed.push(line);
  return parsed;
}

describe("parseLines", () => {
  it("puts lines together that are split anywhere, in the middle of a character too", async () => {
    const bytes = Buffer.from('{"a":"ü"}\n{"b":2}\n');
    for (let at = 0; at <= bytes.length; at++) {
      expect(await parse(bytes.subarray(0, at), bytes.subarray(at))).toEqual([{ a: "ü" }, { b: 2 }]);
    }
  });

  it("takes several pieces at a time", async () => {
    async function* stream() {
      yield ['{"a"', ":1}\n{", '"b":2}\n'].map((piece) => Buffer.from(piece));
    }
    const parsed: unknown[] = [];
    for await (const line of parseLines(stream())) parsed.push(line);
    expect(parsed).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it("drops an unfinished last line and skips empty ones", async () => {
    expect(await parse('\n{"a":1}\n\n{"b"')).toEqual([{ a: 1 }]);
  });

  it("refuses what is not JSON, and lines without end", async () => {
    await expect(parse("nonsense\n")).rejects.toThrow(SyntaxError);
    await expect(parse(Buffer.alloc(MAX_EVENT_BYTES + 1, "x"))).rejects.toThrow("longer than");
  });
});
