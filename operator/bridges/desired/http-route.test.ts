import { describe, expect, it } from "vitest";
import { httpRoute } from "./http-route.ts";

const BRIDGE = { namespace: "ai", name: "chat", uid: "u-1" };
const PARENTS = [{ name: "public", namespace: "infra" }];
const made = (more: object = {}, percent = 10, mirror = 0) =>
  httpRoute(
    BRIDGE,
    { parentRefs: PARENTS, hostnames: [], canaryMatches: [], ...more },
    { percent, mirror, round: undefined },
  ).spec;

/** Whether a request with these cookies is led to the canary by the rule for one. */
function matches(cookie: string, value: string, header: string): boolean {
  const { rules } = made({ canaryMatches: [{ cookie, value }] });
  const [first] = rules as [{ matches: { headers: { value: string }[] }[] }];
  return new RegExp(`^(?:${first.matches[0]?.headers[0]?.value})$`).test(header);
}

describe("the route that the operator makes", () => {
  it("splits all requests between both Services", () => {
    const backend = { group: "", kind: "Service", port: 80 };
    expect(made()).toEqual({
      parentRefs: PARENTS,
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          backendRefs: [
            { ...backend, name: "chat-production", weight: 90 },
            { ...backend, name: "chat-canary", weight: 10 },
          ],
          timeouts: { request: "0s" },
        },
      ],
    });
    expect(made({ hostnames: ["a.example.com"] })).toMatchObject({ hostnames: ["a.example.com"] });
  });

  it("limits in none of its rules how long an answer takes", () => {
    const affinity = { cookie: "who", maxAge: "1h" };
    const canaryMatches = [{ header: "x-canary", value: "always" }];
    const own = { parentRefs: PARENTS, hostnames: [], canaryMatches, affinity };
    const round = { id: "b2-x1", canary: "b2", weight: 25, maxAgeSeconds: 3600 };
    const { rules } = httpRoute(BRIDGE, own, { percent: 25, baseline: 25, mirror: 10, round }).spec;
    expect(rules).toHaveLength(6);
    expect(rules).toMatchObject(rules.map(() => ({ timeouts: { request: "0s" } })));
  });

  it("leads some clients to the canary whatever its weight, before all others", () => {
    const { rules } = made({ canaryMatches: [{ header: "x-canary", value: "always" }] }, 0);
    expect(rules).toMatchObject([
      {
        matches: [{ headers: [{ type: "Exact", name: "x-canary", value: "always" }] }],
        backendRefs: [{ name: "chat-canary", weight: 1 }],
      },
      { backendRefs: [{ weight: 100 }, { weight: 0 }] },
    ]);
  });

  it("keeps clients on their version while a rollout is under way, and tells the pods so", () => {
    const affinity = { cookie: "who", maxAge: "1h" };
    const round = { id: "b2-x1", canary: "b2", weight: 25, maxAgeSeconds: 3600 };
    const own = { parentRefs: PARENTS, hostnames: [], canaryMatches: [], affinity };
    const { rules } = httpRoute(BRIDGE, own, { percent: 25, mirror: 0, round }).spec;
    const value = "who; round=b2-x1; canary=b2; weight=25; max-age=3600";
    const filters = [
      {
        type: "RequestHeaderModifier",
        requestHeaderModifier: { set: [{ name: "x-llmbridge-affinity", value }] },
      },
    ];
    const cookie = (lots: string) => [
      {
        headers: [
          { type: "RegularExpression", name: "Cookie", value: `(^|.*;[ ]*)who=b2-x1[.]${lots}(;.*|$)` },
        ],
      },
    ];
    expect(rules).toMatchObject([
      { filters, matches: cookie("([0-1][0-9]|2[0-4])"), backendRefs: [{ name: "chat-canary", weight: 1 }] },
      { filters, matches: cookie("[0-9][0-9]"), backendRefs: [{ name: "chat-production", weight: 1 }] },
      { filters, backendRefs: [{ weight: 75 }, { weight: 25 }] },
    ]);
    expect(made({ affinity }, 0).rules).toMatchObject([
      {
        filters: [{ requestHeaderModifier: { set: [{ value: "who" }] } }],
        backendRefs: [{ weight: 100 }, { weight: 0 }],
      },
    ]);
  });

  it("copies requests to models, and nothing else, while they are answered as before", () => {
    const canaryMatches = [{ header: "x-canary", value: "always" }];
    const { rules } = made({ canaryMatches }, 0, 10);
    const backendRef = { group: "", kind: "Service", name: "chat-canary", port: 80 };
    const paths = [
      { type: "Exact", value: "/v1/chat/completions" },
      { type: "Exact", value: "/v1/embeddings" },
    ];
    const backendRefs = [
      { name: "chat-production", weight: 100 },
      { name: "chat-canary", weight: 0 },
    ];
    expect(rules).toMatchObject([
      // Who asks for the canary by a header gets it for these paths too.
      {
        matches: [
          { path: { value: "/" } },
          ...paths.map((path) => ({ path, headers: [{ name: "x-canary" }] })),
        ],
        backendRefs: [{ name: "chat-canary", weight: 1 }],
      },
      {
        matches: paths.map((path) => ({ path })),
        filters: [{ type: "RequestMirror", requestMirror: { backendRef, percent: 10 } }],
        backendRefs,
      },
      { matches: [{ path: { value: "/" } }], backendRefs },
    ]);
    expect(rules[2]).not.toHaveProperty("filters");
    expect(made({}, 0, 100).rules[0]).toMatchObject({ filters: [{ requestMirror: { backendRef } }] });
    expect(JSON.stringify(made({}, 0, 100))).not.toContain("percent");
  });

  it.each([
    ["canary=v1.2", true],
    ["a=b; canary=v1.2", true],
    ["a=b;canary=v1.2; c=d", true],
    ["canary=v1.2; c=d", true],
    ["canary=v1x2", false],
    ["canary=v1.23", false],
    ["xcanary=v1.2", false],
    ["a=canary=v1.2", false],
    ["", false],
  ])("finds one cookie among others: %j is %s", (header, found) => {
    expect(matches("canary", "v1.2", header)).toBe(found);
  });
});
