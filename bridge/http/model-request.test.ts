import { describe, expect, it, vi } from "vitest";
import { LARGE_BYTES, MAX_NESTING } from "../json-value.ts";
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

  it.each(["[", '{"a":', '[1,{"a":', '["]",'])(
    "is found out before a large body of %j is parsed, which would take gigabytes",
    (open) => {
      const text = `{"model":"m","messages":${open.repeat(LARGE_BYTES)}`;
      const parse = vi.spyOn(JSON, "parse");
      const read = readModelRequest("chat", Buffer.from(text), "r");
      expect(parse).not.toHaveBeenCalled();
      parse.mockRestore();
      expect(read.ok ? undefined : read.failure).toMatchObject({
        code: "invalid_request",
        message: "body: nested deeper than 200 levels; send arrays and objects that are flatter.",
      });
    },
  );

  it.each(["[", '\\"[', "\\\\", "}]"])("is not read from what stands in strings, such as %j", (text) => {
    const padding = "[".repeat(LARGE_BYTES);
    const content = `"${text.repeat(1_000)}","${padding}",[],{}`;
    const body = Buffer.from(nested(MAX_NESTING, "[", "]").replace("[]", `[${content}]`));
    expect(readModelRequest("chat", body, "r")).toMatchObject({ ok: true });
  });

  it("is found out before anything walks a body that was parsed elsewhere", () => {
    const json: unknown = JSON.parse(nested(100_000, "[", "]"));
    expect(() => JSON.stringify(json)).toThrow(RangeError);
    expect(checkModelRequest("chat", json, "r")).toMatchObject({ ok: false, failure: { status: 400 } });
  });
});

describe("a body that is no JSON", () => {
  const read = (padding: number) =>
    readModelRequest("chat", Buffer.from(`{"model":"m","messages":[${"0,".repeat(padding / 2)}]}`), "r");

  it.each([
    ["names where it goes wrong", 1_000, ", it goes wrong at line 1, column 1026"],
    ["and large does not, since every character would be looked at", LARGE_BYTES, ""],
  ])("%s", (_, padding, place) => {
    const result = read(padding);
    expect(result.ok ? undefined : result.failure).toMatchObject({
      code: "invalid_json",
      message: `body: not valid JSON${place}; send a JSON object.`,
    });
  });
});

describe("checkModelRequest", () => {
  it("makes the bytes of a body that was parsed elsewhere", () => {
    const json = { model: "m", messages: [], stream: true };
    const read = checkModelRequest("chat", json, "r");
    expect(read.ok && read.request.body.toString()).toBe(JSON.stringify(json));
  });
});
