import { describe, expect, it } from "vitest";
import { chooseEncoding } from "./encoding.ts";

describe("chooseEncoding", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["identity", undefined],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, br", "br"],
    ["GZIP", "gzip"],
    ["zstd;q=0, gzip", "gzip"],
    ["zstd;q=0.5, gzip;q=0.8", "gzip"],
    ["*", "zstd"],
    ["*;q=0.1, zstd;q=0", "br"],
    ["gzip;q=nonsense", undefined],
  ])("answers %j with %j", (accept, expected) => {
    expect(chooseEncoding(accept)).toBe(expected);
  });
});
