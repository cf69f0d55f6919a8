import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventReader } from "./events.ts";
import { LineSplitter } from "./lines.ts";
import { declaresError, EventTally } from "./tally.ts";
import { StreamTail } from "./terminal.ts";
import { findUsage } from "./usage.ts";

/** The bytes of a text, cut at the places given. */
function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const places = fc.array(fc.nat(), { maxLength: 20 });
const text = fc.string({ unit: "grapheme" }).map((value) => value.replace(/[\r\n]/g, ""));

function readEvents(chunks: readonly Buffer[]): string[] {
  const reader = new EventReader();
  const events: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event);
  }
  return events;
}

describe("EventReader", () => {
  it("reads the same events wherever their bytes are cut, with every kind of line end", () => {
    const events = fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { maxLength: 5 });
    fc.assert(
      fc.property(events, fc.constantFrom("\n", "\r\n", "\r"), places, (wanted, end, at) => {
        const bytes = wanted
          .map((lines) => lines.map((line) => `data: ${line}${end}`).join("") + end)
          .join("");
        expect(readEvents(cut(`${bytes}:${end}`, at))).toEqual(wanted.map((lines) => lines.join("\n")));
      }),
    );
  });

  it.each([
    ["\ufeffdata: a\n\n", ["a"]],
    [": comment\n\ndata:a\nid: 1\nevent: x\n\n", ["a"]],
    ["data:  two\n\n", [" two"]],
    ["data: not ended\n", []],
    ["\n\n\n", []],
  ])("reads %j as %j", (stream, events) => {
    expect(readEvents([Buffer.from(stream)])).toEqual(events);
  });

  it.each([
    ["data: a\n", "a"],
    ["data: a\r", "a"],
    ["data: a\r\n", "a"],
    ["data: a", "a"],
    ["data: a\ndata: b", "a\nb"],
    ["data: a\n\n", undefined],
    ["", undefined],
  ])("gives what is left of %j when its stream has ended: %j", (stream, event) => {
    const reader = new EventReader();
    reader.push(Buffer.from(stream));
    while (reader.next() !== undefined);
    reader.flush();
    expect([reader.next(), reader.next()]).toEqual([event, undefined]);
  });

  it("refuses an event that never ends", () => {
    const reader = new EventReader();
    const piece = Buffer.alloc(1024 * 1024, "x");
    expect(() => {
      for (let i = 0; i < 9; i++) reader.push(piece);
    }).toThrow(RangeError);
  });
});

describe("LineSplitter", () => {
  it("gives the same lines wherever their bytes are cut", () => {
    const line = text.filter((value) => value.trim() !== "");
    fc.assert(
      fc.property(
        fc.array(line),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        places,
        (lines, end, ended, at) => {
          const splitter = new LineSplitter();
          const bytes = lines.join(end) + (ended ? end : "");
          const read = cut(bytes, at).flatMap((chunk) => splitter.push(chunk));
          const rest = splitter.flush();
          expect(rest === undefined ? read : [...read, rest]).toEqual(lines);
        },
      ),
    );
  });

  it("refuses a line that never ends", () => {
    const splitter = new LineSplitter();
    const piece = Buffer.alloc(1024 * 1024, "x");
    expect(() => {
      for (let i = 0; i < 9; i++) splitter.push(piece);
    }).toThrow(RangeError);
  });
});

describe("StreamTail", () => {
  it("knows the last bytes, however they came", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000, unit: "binary-ascii" }), places, (value, at) => {
        const tail = new StreamTail();
        for (const chunk of cut(value, at)) tail.push(chunk);
        expect(tail.text()).toBe(value.slice(-1024));
      }),
    );
  });

  it.each([
    ["data: x\n\ndata: [DONE]\n\n", true],
    ["data:[DONE]", true],
    ["data: x\r\n\r\ndata: [DONE]\r\n\r\n", true],
    ['data: {"content":"data: [DONE]"}\n\n', false],
    ["data: [DONE]\n\ndata: more\n\n", false],
    ["", false],
  ])("takes %j for complete: %j", (value, complete) => {
    const tail = new StreamTail();
    tail.push(Buffer.from(value));
    expect(tail.complete).toBe(complete);
  });
});

function tallied(...chunks: readonly Buffer[]): EventTally {
  const tally = new EventTally();
  for (const chunk of chunks) tally.push(chunk);
  return tally;
}

describe("EventTally", () => {
  it("counts the same events wherever their bytes are cut", () => {
    const lines = fc.array(text, { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.constantFrom("\n", "\r\n"), places, (wanted, end, at) => {
        const bytes = wanted.map((line) => `: data: no${end}data: ${line}${end}${end}`).join("");
        expect(tallied(...cut(bytes, at)).events).toBe(wanted.length);
      }),
    );
  });

  it.each([
    ["data:a\n\ndata: b\n\ndata: [DONE]\n\n", 3],
    ['data: {"content":"data: x"}\n\n', 1],
    [`data: ${"x".repeat(10_000)}\n\n`, 1],
    [": data:\nevent: data:\n\n dat", 0],
    ["", 0],
  ])("counts in %j %i", (value, events) => {
    expect(tallied(Buffer.from(value)).events).toBe(events);
  });

  it.each([
    ['data: {"error":{"message":"m"}}\n\n', true],
    ['data:{ "error" : {"message":"m"}}\r\n\r\n', true],
    ['data: {"choices":[]}\n\ndata: {"error":"m"}\n\n', true],
    ["event: error\ndata: {}\n\n", true],
    ['data: {"error":null,"choices":[]}\n\n', false],
    ['data: {"errors":{}}\n\n', false],
    ['data: {"content":"{\\"error\\":{}}"}\n\n', false],
    ['data: ["error",{}]\n\n', false],
    ['{"error":{}}\n\n', false],
    ["event: errors\n\n", false],
  ])("knows of %j whether it reports an error, wherever it is cut: %j", (value, failed) => {
    fc.assert(fc.property(places, (at) => tallied(...cut(value, at)).failed === failed));
  });
});

describe("declaresError", () => {
  it.each([
    ['{"error":{}}', true],
    ['\r\n{\n  "error": {\n', true],
    ['{"error":null}', false],
    ['{"error"', false],
    ['{"choices":[],"error":{}}', false],
    ["<html>", false],
    ["", false],
  ])("says of %j %j", (value, expected) => {
    const bytes = Buffer.from(value);
    expect(declaresError(bytes, 0, bytes.length)).toBe(expected);
  });
});

describe("findUsage", () => {
  it.each([
    ['{"usage":{"prompt_tokens":1,"completion_tokens":2}}', { promptTokens: 1, completionTokens: 2 }],
    [
      '{"usage": {"prompt_tokens":1,"completion_tokens":2,"d":{"x":1}},"z":1}',
      { promptTokens: 1, completionTokens: 2 },
    ],
    [
      'data: {"usage":null}\n\ndata: {"usage":{"prompt_tokens":7}}\n\n',
      { promptTokens: 7, completionTokens: 0 },
    ],
    ['{"usage":{"prompt_tokens":3}}{"usage":null}', { promptTokens: 3, completionTokens: 0 }],
    [String.raw`{"content":"\"usage\":{\"prompt_tokens\":9}"}`, undefined],
    ['"usage":', undefined],
    ['"usage":{"prompt_tokens":1', undefined],
    ["", undefined],
  ])("finds in %j %j", (value, expected) => {
    expect(findUsage(value)).toEqual(expected);
  });
});
