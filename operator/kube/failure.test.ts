import { describe, expect, it } from "vitest";
import { isForbidden, isFutureVersion } from "./errors.ts";
import { failureOf } from "./failure.ts";

const NOW = Date.UTC(2026, 0, 1);
const answer = (code: number, body: string | Buffer, retryAfter?: string) =>
  failureOf("watch pods", { code, body: Buffer.from(body), retryAfter }, NOW);

/** One field of a protocol buffer that has a length. */
const field = (number: number, content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
};
const number = (of: number, value: number): Buffer => Buffer.from([of * 8, value]);
const enveloped = (...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("k8s\0"), field(2, Buffer.concat(fields))]);

describe("a failure of the API server", () => {
  it("says in protocol buffers what it says in JSON", () => {
    const details = field(5, Buffer.concat([field(4, field(1, "ResourceVersionTooLarge")), number(5, 9)]));
    const told = answer(403, enveloped(field(3, "pods is forbidden"), field(4, "Forbidden"), details));
    expect(told.message).toBe("watch pods: pods is forbidden");
    expect([told.reason, told.retryAfterMs]).toEqual(["Forbidden", 9_000]);
    expect([isForbidden(told), isFutureVersion(told)]).toEqual([true, true]);
    const { message, reason, retryAfterMs, status } = told;
    expect(answer(403, JSON.stringify(status))).toMatchObject({ message, reason, retryAfterMs, status });
  });

  it("waits as the header says where there is one", () => {
    expect(answer(429, '{"details":{"retryAfterSeconds":9}}', "2").retryAfterMs).toBe(2_000);
  });

  it("repeats prose, of proxies, as far as it is short", () => {
    expect(answer(502, "Bad Gateway").message).toBe("watch pods: Bad Gateway");
    expect(answer(502, "x".repeat(9_000)).message).toHaveLength("watch pods: ".length + 500);
    expect(answer(503, "").message).toBe("watch pods: the API server answered 503");
    expect(answer(503, "null").message).toBe("watch pods: the API server answered 503");
  });
});
