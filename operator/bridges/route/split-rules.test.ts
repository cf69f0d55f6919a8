import { describe, expect, it } from "vitest";
import type { BackendRef, HttpRoute } from "./http-route.ts";
import { percentOf, placeForBaseline, splitRules, weightsFor } from "./split-rules.ts";

const [PRODUCTION, CANARY] = ["chat-production", "chat-canary"] as const;
const ref = (name: string, weight?: number, more: Partial<BackendRef> = {}): BackendRef => ({
  name,
  ...(weight === undefined ? {} : { weight }),
  ...more,
});

function route(...rules: (readonly [string, ...BackendRef[]])[]): HttpRoute {
  const metadata = { name: "web", namespace: "ai", uid: "u", resourceVersion: "1" };
  return { metadata, spec: { rules: rules.map(([name, ...backendRefs]) => ({ name, backendRefs })) } };
}

const split = (of: HttpRoute, ...only: string[]) => splitRules(of, "chat", only);

describe("the rules that split traffic", () => {
  it("are those that name both Services of the bridge, wherever they stand", () => {
    const found = split(
      route(
        ["static", ref("assets")],
        ["pinned", ref(PRODUCTION)],
        ["preview", ref(CANARY)],
        ["chat", ref(CANARY, 0), ref(PRODUCTION, 100)],
        ["elsewhere", ref(CANARY, 1, { namespace: "other" }), ref(PRODUCTION, 1, { namespace: "other" })],
        ["objects", ref(CANARY, 1, { kind: "Bucket", group: "storage" }), ref(PRODUCTION)],
        ["named", ref(PRODUCTION, 9, { namespace: "ai", kind: "Service", group: "" }), ref(CANARY, 1)],
      ),
    );
    expect(found).toEqual([
      { index: 3, production: { index: 1, weight: 100 }, canary: { index: 0, weight: 0 }, isShared: false },
      { index: 6, production: { index: 0, weight: 9 }, canary: { index: 1, weight: 1 }, isShared: false },
    ]);
  });

  it("are only those asked for", () => {
    const both = route(["one", ref(PRODUCTION), ref(CANARY)], ["two", ref(PRODUCTION), ref(CANARY)]);
    expect(split(both, "two")).toMatchObject([{ index: 1 }]);
  });

  it.each<[string, HttpRoute, string[], RegExp]>([
    [
      "none names our Services",
      route(["static", ref("assets")]),
      [],
      /no rule that names both chat-production and chat-canary.*add backendRefs/,
    ],
    ["there is none of that name", route(["a", ref(PRODUCTION), ref(CANARY)]), ["b"], /no rule named b/],
    [
      "the one of that name names one Service",
      route(["a", ref(PRODUCTION)]),
      ["a"],
      /rule a does not name both/,
    ],
    [
      "a Service stands twice",
      route(["", ref(PRODUCTION), ref(CANARY), ref(CANARY)]),
      [],
      /rule 1 names a Service of the bridge more than once/,
    ],
    [
      "others leave no percents",
      route(["a", ref(PRODUCTION, 9), ref(CANARY, 1), ref("x", 5)]),
      [],
      /weights of 10 together.*multiple of 100/,
    ],
    [
      "others have it all",
      route(["a", ref(PRODUCTION, 0), ref(CANARY, 0), ref("x", 5)]),
      [],
      /weights of 0 together/,
    ],
  ])("say what to write where %s", (_name, of, only, words) => {
    expect(split(of, ...only)).toMatch(words);
  });
});

describe("weights", () => {
  const rule = (production: number, canary: number, isShared = false) => ({
    index: 0,
    production: { index: 0, weight: production },
    canary: { index: 1, weight: canary },
    isShared,
  });

  const percents = (canary: number, baseline = 0) => ({ canary, baseline });

  it("are percents where the rule is ours alone, and keep their sum beside others", () => {
    expect(weightsFor(rule(1, 1), percents(25))).toEqual({ production: 75, canary: 25 });
    expect(weightsFor(rule(0, 0), percents(0))).toEqual({ production: 100, canary: 0 });
    expect(weightsFor(rule(150, 50, true), percents(1))).toEqual({ production: 198, canary: 2 });
    expect(weightsFor(rule(150, 50, true), percents(100))).toEqual({ production: 0, canary: 200 });
  });

  it.each([
    [[rule(9, 1)], 10],
    [[rule(9, 1), rule(180, 20, true)], 10],
    [[rule(90, 10), rule(100, 0)], undefined],
    [[rule(2, 1)], undefined],
    [[rule(0, 0)], undefined],
    [[rule(0, 5)], 100],
  ])("that are read agree on whole percents or on nothing", (rules, percent) => {
    expect(percentOf(rules, "canary")).toBe(percent);
  });

  it("of a baseline are out of the rest, and the stable version's where the rule has no place for it", () => {
    const beside = { ...rule(1, 1), baseline: { index: 2, weight: 0 } };
    expect(weightsFor(beside, percents(20, 20))).toEqual({ production: 60, canary: 20, baseline: 20 });
    expect(
      weightsFor({ ...beside, isShared: true, baseline: { index: 2, weight: 98 } }, percents(50, 25)),
    ).toEqual({ production: 25, canary: 50, baseline: 25 });
    expect(weightsFor(rule(1, 1), percents(20, 20))).toEqual({ production: 80, canary: 20 });
  });
});

describe("a Service for baselines", () => {
  const BASELINE = "chat-baseline";
  const three = route(
    ["chat", ref(PRODUCTION, 60), ref(BASELINE, 20), ref(CANARY, 20)],
    ["legacy", ref(PRODUCTION, 120), ref(CANARY, 40), ref("old", 7), ref(BASELINE, 40)],
  );

  it("is found where the bridge has one, and another backend where it has none", () => {
    const rules = splitRules(three, "chat", [], true);
    expect(rules).toMatchObject([
      { baseline: { index: 1, weight: 20 }, isShared: false },
      { baseline: { index: 3, weight: 40 }, isShared: true },
    ]);
    if (typeof rules === "string") throw new Error(rules);
    expect([percentOf(rules, "canary"), percentOf(rules, "baseline")]).toEqual([20, 20]);
    expect(placeForBaseline(three, "chat", rules)).toBeUndefined();
    expect(splitRules(three, "chat", ["chat"])).toMatch(/weights of 80 together/);
  });

  it("that a rule does not name is told of with what to write", () => {
    const some = route(
      ["chat", ref(PRODUCTION, 60), ref(BASELINE, 20), ref(CANARY, 20)],
      ["", ref(PRODUCTION, 9), ref(CANARY, 1)],
    );
    const rules = splitRules(some, "chat", [], true);
    if (typeof rules === "string") throw new Error(rules);
    expect(placeForBaseline(some, "chat", rules)).toMatch(
      /"web", rule 2 does not name chat-baseline, .*add the backendRef \{name: chat-baseline, port: 80, weight: 0\}/,
    );
  });
});
