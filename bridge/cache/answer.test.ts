import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCutShort, packAnswer, unpackAnswer } from "./answer.ts";

describe("packAnswer and unpackAnswer", () => {
  it("give back every answer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.string(),
        fc.nat(),
        fc.uint8Array(),
        (status, contentType, storedMs, bytes) => {
          fc.pre(Buffer.from(contentType).toString() === contentType);
          const answer = { status, contentType, storedMs, body: Buffer.from(bytes) };
          expect(unpackAnswer(packAnswer(answer))).toEqual(answer);
        },
      ),
    );
  });

  it("take a value of another layout, or one that is cut short, for none", () => {
    const answer = { status: 200, contentType: "application/json", body: Buffer.from("{}"), storedMs: 1 };
    const packed = packAnswer(answer);
    for (const length of [0, 4, 12, 20]) expect(unpackAnswer(packed.subarray(0, length))).toBeUndefined();
    packed[0] = 1;
    expect(unpackAnswer(packed)).toBeUndefined();
  });
});

describe("isCutShort", () => {
  const said = (choices: unknown, space?: number) => Buffer.from(JSON.stringify({ choices }, null, space));
  const ended = (...reasons: (string | null)[]) => reasons.map((finish_reason) => ({ finish_reason }));

  it.each([
    ["a limit", said(ended("length"))],
    ["a filter", said(ended("content_filter"))],
    ["a limit, of one choice among several", said(ended("stop", "length"))],
    ["a limit, written with spaces", Buffer.from('{"choices": [{"finish_reason" : "length"}]}')],
    ["a limit, written over several lines", said(ended("length"), 2)],
    [
      "a limit, in the last event of a stream",
      Buffer.from(`data: ${said(ended(null))}\n\ndata: ${said(ended("length"))}\n\n`),
    ],
  ])("tells that %s cut it", (_, body) => {
    expect(isCutShort(body)).toBe(true);
  });

  it.each([
    ["an end of its own", said(ended("stop", "tool_calls", null))],
    [
      "the words in its text",
      said([{ message: { content: '"finish_reason":"length"' }, finish_reason: "stop" }]),
    ],
    ["a reason that only begins so", said(ended("lengthy"))],
    ["nothing after the name", Buffer.from('{"finish_reason"')],
    ["nothing at all", Buffer.alloc(0)],
  ])("leaves one with %s", (_, body) => {
    expect(isCutShort(body)).toBe(false);
  });
});
