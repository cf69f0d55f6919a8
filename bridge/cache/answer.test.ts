import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isReusable, packAnswer, unpackAnswer } from "./answer.ts";

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

describe("isReusable", () => {
  const said = (...reasons: (string | null)[]) => ({
    choices: reasons.map((finish_reason) => ({ message: { content: "hi" }, finish_reason })),
  });
  const json = (body: unknown, space?: number) => ({
    status: 200,
    contentType: "application/json",
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body, null, space)),
  });
  const events = (...data: unknown[]) => ({
    status: 200,
    contentType: "text/event-stream; charset=utf-8",
    body: Buffer.from(
      [...data.map((one) => `data: ${JSON.stringify(one)}\n\n`), "data: [DONE]\n\n"].join(""),
    ),
  });
  const failure = { error: { message: "the engine died", code: 500 } };

  it.each([
    ["stopped", json(said("stop"))],
    ["called tools", json(said("tool_calls"))],
    ["called a function", json(said("function_call"))],
    ["is written over several lines", json({ ...said("stop"), error: null }, 2)],
    [
      "speaks of limits and errors",
      json({
        choices: [{ message: { content: '"finish_reason":"length","error":{}' }, finish_reason: "stop" }],
      }),
    ],
    ["is a stream that stopped", events(said(null), said(null), said("stop"), { choices: [], usage: {} })],
    [
      "is a stream written with spaces",
      { ...events(), body: Buffer.from('data: {"finish_reason" : "stop"}\n\n') },
    ],
    [
      "is a stream that speaks of limits and errors",
      events({ delta: '"finish_reason":"length","error":{}', error: null }, said("stop")),
    ],
  ])("takes a chat that %s", (_, answer) => {
    expect(isReusable("chat", answer)).toBe(true);
  });

  it.each([
    ["a limit cut", json(said("length"))],
    ["a filter cut", json(said("content_filter"))],
    ["was cut in one of its choices", json(said("stop", "length"))],
    ["does not say why it ended", json(said(null))],
    ["ended for a reason that only begins well", json(said("stopped"))],
    ["has no choice", json(said())],
    ["is an error of status 200", json(failure)],
    ["has an error beside its choices", json({ ...said("stop"), ...failure })],
    ["is a page", { ...json("<html>maintenance</html>"), contentType: "text/html" }],
    ["breaks off", json(JSON.stringify(said("stop")).slice(0, -1))],
    ["is a list", json([said("stop")])],
    ["is nothing", json("")],
    ["is no success", { ...json(said("stop")), status: 203 }],
    ["is a stream that a limit cut", events(said(null), said("length"))],
    ["is a stream that ended for an unknown reason", events(said("error"))],
    ["is a stream that does not say why it ended", events(said(null))],
    ["is a stream that failed and was ended well", events(said(null), failure)],
    ["is a stream that failed after it had stopped", events(said("stop"), failure)],
    ["is a stream whose chunk reports an error", events({ ...said("stop"), error: { code: 502 } })],
  ])("does not take a chat that %s", (_, answer) => {
    expect(isReusable("chat", answer)).toBe(false);
  });

  it.each([
    [true, json({ object: "list", data: [{ embedding: [1] }] })],
    [false, json({ object: "list", data: [] })],
    [false, json(failure)],
    [false, json('{"data":[{"embedding":[1,')],
  ])("says %s of embeddings", (expected, answer) => {
    expect(isReusable("embeddings", answer)).toBe(expected);
  });
});
