import { describe, expect, it } from "vitest";
import { MAX_NESTING } from "../json-value.ts";
import { checkModelRequest, readModelRequest } from "./model-request.ts";

/** A chat and embeddings request with so many levels in all, its own object and the innermost array included. */
function nested(levels: number, open: string, close: string): string {
  const tools = `${open.repeat(levels - 2)}[]${close.repeat(levels - 2)}`;
  return `{"model":"m","input":"a","messages":[],"tools":${tools}}`;
}

describe("how deep a request may be nested", () => {
  it.each([
    ["chat", "[", "]"],
    ["chat", '{"a":', "}"],
    ["embeddings", "[1,", "]"],
  ] as const)("is limited for %s with %s", (route, open, close) => {
    const read = (levels: number) => readModelRequest(route, Buffer.from(nested(levels, open, close)), "r");
    expect(read(MAX_NESTING)).toMatchObject({ ok: true });
    expect(read(MAX_NESTING + 1)).toEqual({
      ok: false,
      failure: {
        status: 400,
        domain: "client",
        code: "invalid_request",
        message: "body: nested deeper than 200 levels; send arrays and objects that are flatter.",
      },
    });
  });

  it("is found out before anything walks a body that was parsed elsewhere", () => {
    const json: unknown = JSON.parse(nested(100_000, "[", "]"));
    expect(() => JSON.stringify(json)).toThrow(RangeError);
    expect(checkModelRequest("chat", json, "r")).toMatchObject({ ok: false, failure: { status: 400 } });
  });
});

describe("checkModelRequest", () => {
  it("makes the bytes of a body that was parsed elsewhere", () => {
    const json = { model: "m", messages: [], stream: true };
    const read = checkModelRequest("chat", json, "r");
    expect(read.ok && read.request.body.toString()).toBe(JSON.stringify(json));
  });
});
