import { describe, expect, it } from "vitest";
import { ApiError, TransportError } from "./errors.ts";
import { MAX_TRIES, parseRetryAfter, retryDelayMs } from "./retry.ts";

const never = () => 0;
const delay = (error: unknown, idempotent: boolean, tries = 1): number | undefined =>
  retryDelayMs({ error, idempotent, tries }, never);
const api = (code: number, retryAfterMs?: number): ApiError => new ApiError("x", code, {}, retryAfterMs);

describe("retryDelayMs", () => {
  it("waits as long as the server asked, and a bit longer by chance", () => {
    expect(delay(api(429, 3000), false)).toBe(3000);
    expect(delay(api(503, 1000), false)).toBe(1000);
    expect(retryDelayMs({ error: api(429, 1000), idempotent: true, tries: 1 }, () => 1)).toBe(1250);
  });

  it("sends again after 5xx and broken connections only what may be sent twice", () => {
    for (const error of [api(500), api(502), api(503), api(504), new TransportError("x", "reset")]) {
      expect(delay(error, true)).toBe(100);
      expect(delay(error, false)).toBeUndefined();
    }
  });

  it("never sends again what the server refused", () => {
    const unknownField = new ApiError("x", 500, {
      message: "failed to create typed patch object: .x: field not declared",
    });
    for (const error of [api(400), api(403), api(404), api(409), api(410), api(422), unknownField]) {
      expect(delay(error, true)).toBeUndefined();
    }
  });

  it("gives up in the end", () => {
    expect(delay(api(429, 10), true, MAX_TRIES - 1)).toBe(10);
    expect(delay(api(429, 10), true, MAX_TRIES)).toBeUndefined();
  });
});

describe("parseRetryAfter", () => {
  const now = Date.UTC(2026, 0, 1);
  it.each([
    ["2", 2000],
    ["0", 0],
    [new Date(now + 5000).toUTCString(), 5000],
    [new Date(now - 5000).toUTCString(), 0],
    ["soon", undefined],
    ["-1", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});
