import { describe, expect, it } from "vitest";
import { goIsNewEnough } from "./go.ts";

describe("goIsNewEnough", () => {
  it.each([
    ["go version go1.26.8 linux/amd64", true],
    ["go version go1.27rc1 linux/arm64", true],
    ["go1.100.0", true],
    ["go2.0", true],
    ["go version go1.19.8 linux/amd64", false],
    ["go version go1.3 linux/amd64", false],
    ["", false],
    ["gccgo (Debian 12.2.0)", false],
  ])("%s: %s", (text, expected) => {
    expect(goIsNewEnough(text)).toBe(expected);
  });
});
