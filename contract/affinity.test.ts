import { describe, expect, it } from "vitest";
import { type AffinityOrder, formatAffinity, lotValue, parseAffinity } from "./affinity.ts";

const ROUND = { id: "a1b2c3-lq3x2a", canary: "a1b2c3", weight: 25, maxAgeSeconds: 86_400 };

describe("what a route tells a pod of affinity", () => {
  it.each<AffinityOrder>([{ cookie: "mine" }, { cookie: "x".repeat(64), round: ROUND }])(
    "is read as it was written: %j",
    (order) => expect(parseAffinity(formatAffinity(order))).toEqual(order),
  );

  it.each([
    "",
    "c d",
    "c; Domain=example.com",
    "c; round=r; canary=a; weight=25; max-age=86400; Domain=example.com",
    "c; round=R; canary=a; weight=25; max-age=1",
    "c; round=r; canary=a; weight=-1; max-age=1",
    "c\r\nset-cookie: a=b",
    `${"c".repeat(65)}`,
  ])("is nothing else that a client may send: %j", (text) => {
    expect(parseAffinity(text)).toBeUndefined();
  });

  it("has lots of two digits, so that one expression finds those below a weight", () => {
    expect([lotValue("r", 7), lotValue("r", 42)]).toEqual(["r.07", "r.42"]);
  });
});
