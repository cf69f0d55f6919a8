import { describe, expect, it } from "vitest";
import type { AuditedRequest } from "../../scene/audit.ts";
import { outsideOfTerms, termsIn } from "./terms.ts";

const request = (
  user: string,
  resource: string,
  receivedMs: number,
  more: Partial<AuditedRequest> = {},
): AuditedRequest => ({
  ...{ verb: "patch", group: "", namespace: "ns", name: "told", code: 200, uri: "" },
  ...{ user, resource, receivedMs, answeredMs: receivedMs + 2, userAgent: "llmbridge-operator/1" },
  ...more,
});
const renews = (user: string, atMs: number) => request(user, "leases", atMs);
const TWO_TERMS = [
  renews("first", 0),
  renews("first", 5_000),
  renews("second", 20_000),
  renews("second", 25_000),
];

describe("terms", () => {
  it("begin with a candidate's first write of the Lease and end with that of the next", () => {
    expect(termsIn(TWO_TERMS)).toEqual([
      { user: "first", fromMs: 0, toMs: 20_000 },
      { user: "second", fromMs: 20_000, toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it("are not begun by a write of the Lease that was refused", () => {
    const refused = request("second", "leases", 10_000, { code: 409 });
    expect(termsIn([...TWO_TERMS, refused])).toEqual(termsIn(TWO_TERMS));
  });
});

describe("writes outside of their writer's terms", () => {
  it("are none where each leader writes in its own time", () => {
    const own = [request("first", "services", 100), request("second", "services", 20_010)];
    expect(outsideOfTerms([...TWO_TERMS, ...own])).toEqual([]);
  });

  it.each([
    ["one after the other leads", request("first", "services", 20_001)],
    ["one that arrives before and is answered after the other leads", request("first", "services", 19_999)],
    ["one before its writer leads", request("second", "deployments", 19_000)],
    ["a deletion", request("first", "configmaps", 21_000, { verb: "delete" })],
  ])("%s", (_, write) => {
    expect(outsideOfTerms([...TWO_TERMS, write])).toEqual([expect.stringContaining(write.user)]);
  });

  it("are not Events, reads, writes of others, nor what was refused", () => {
    const harmless = [
      request("first", "events", 21_000),
      request("first", "services", 21_000, { verb: "get" }),
      request("first", "services", 21_000, { code: 409 }),
      request("person", "services", 21_000, { userAgent: "kubectl/1" }),
    ];
    expect(outsideOfTerms([...TWO_TERMS, ...harmless])).toEqual([]);
  });
});
