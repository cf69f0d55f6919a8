import { describe, expect, it } from "vitest";
import { plain, verdictOf } from "./verdict.ts";

const at = (body: unknown, status = 200, retryAfter?: string) =>
  verdictOf(status, { "retry-after": retryAfter }, typeof body === "string" ? body : JSON.stringify(body), 0);

describe("verdictOf", () => {
  it.each([
    [{ verdict: "pass" }, { kind: "Passed", reason: "" }],
    [
      { verdict: "pass", reason: " as good\n as before " },
      { kind: "Passed", reason: "as good as before" },
    ],
    [
      { verdict: "fail", reason: "worse", score: 3 },
      { kind: "Failed", reason: "worse" },
    ],
    [{ verdict: "wait" }, { kind: "Wait", reason: "", afterMs: 15_000 }],
    [
      { verdict: "wait", retryAfter: 30 },
      { kind: "Wait", reason: "", afterMs: 30_000 },
    ],
    [
      { verdict: "wait", retryAfter: "2m" },
      { kind: "Wait", reason: "", afterMs: 120_000 },
    ],
    [
      { verdict: "wait", retryAfter: 0 },
      { kind: "Wait", reason: "", afterMs: 1_000 },
    ],
    [
      { verdict: "wait", retryAfter: "24h" },
      { kind: "Wait", reason: "", afterMs: 900_000 },
    ],
  ])("takes %j", (body, verdict) => {
    expect(at(body)).toEqual(verdict);
  });

  it.each([
    "",
    "pass",
    "<html>",
    "[]",
    "null",
    '"pass"',
    '{"verdict": "PASS"}',
    '{"verdict": true}',
    '{"ok": true}',
    '{"verdict": "wait", "retryAfter": "soon"}',
    '{"verdict": "wait", "retryAfter": -1}',
    '{"verdict": "pass", "reason": 3}',
  ])("takes %j for no verdict, whatever the status", (body) => {
    expect(at(body)).toMatchObject({ kind: "Error", reason: expect.stringContaining("without a verdict") });
    expect(at(body, 204).kind).toBe("Error");
  });

  it.each([302, 400, 404, 429, 500, 503])("never takes a verdict that comes with %i", (status) => {
    expect(at({ verdict: "pass" }, status)).toEqual({ kind: "Error", reason: `HTTP status ${status}` });
  });

  it("heeds Retry-After", () => {
    expect(at("", 503, "7")).toMatchObject({ kind: "Error", afterMs: 7_000 });
    expect(at({ verdict: "wait" }, 200, "7")).toMatchObject({ kind: "Wait", afterMs: 7_000 });
    expect(at({ verdict: "wait", retryAfter: 3 }, 200, "7")).toMatchObject({ afterMs: 3_000 });
  });
});

describe("plain", () => {
  it("leaves one line of at most 200 characters, and nothing that a terminal would obey", () => {
    expect(plain("a\u001b[2Jb\r\nc\u200bd\u202ee\u0000")).toBe("a [2Jb c d e");
    expect(plain("x".repeat(5_000))).toHaveLength(200);
  });
});
