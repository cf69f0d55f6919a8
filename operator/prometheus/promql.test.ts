import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countedSeries, ownMatchers } from "./counting.ts";
import { percentileQuery, plainQuery } from "./fleet-queries.ts";
import { anyOf, equal, range, selector, unequal } from "./promql.ts";

/** Cuts an expression into what is inside quotes (unescaped) and what is outside, as PromQL does. */
function split(expression: string): { outside: string; strings: string[] } {
  const strings: string[] = [];
  const outside = expression.replace(/"((?:[^"\\]|\\.)*)"/gs, (_, inner: string) => {
    strings.push(JSON.parse(`"${inner}"`) as string);
    return "$";
  });
  return { outside, strings };
}

const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"} or {a="', "\\", '\\"', "a\nb", "|.*", '"]', "`", "#", "$1", "\u0000", "\ud800"),
);

/** A namespace or bridge without a name is refused. */
const name = nasty.filter((text) => text !== "");

describe("selector", () => {
  it("holds every value in quotes, so that no value changes what is selected", () => {
    fc.assert(
      fc.property(name, name, fc.array(nasty, { minLength: 1 }), (namespace, bridge, values) => {
        const text = selector([
          anyOf("revision", values),
          unequal("cache", "hit"),
          ...ownMatchers("namespace", namespace, bridge),
        ]);
        const { outside, strings } = split(text);
        expect(outside).toBe("{revision=~$,cache!=$,namespace=$,bridge=$}");
        expect(strings.slice(1)).toEqual(["hit", namespace.toWellFormed(), bridge.toWellFormed()]);
      }),
    );
  });

  it("matches alternatives literally", () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), nasty, (values, other) => {
        const [pattern] = split(selector([anyOf("x", values)])).strings;
        const matches = (text: string) => new RegExp(`^(?:${pattern})$`, "s").test(text.toWellFormed());
        for (const value of values) expect(matches(value)).toBe(true);
        expect(matches(other)).toBe(
          values.map((value) => value.toWellFormed()).includes(other.toWellFormed()),
        );
      }),
    );
  });

  it("refuses a label name that could end the selector", () => {
    expect(() => selector([equal('a="x"} or b', "y")])).toThrow("is not a label name");
    expect(() => selector([equal("1a", "y")])).toThrow("is not a label name");
  });

  it("writes ranges in whole milliseconds", () => {
    expect(range("{}", 1500.4)).toBe("{}[1500ms]");
    expect(range("{}", 0)).toBe("{}[1ms]");
  });
});

describe("queries", () => {
  const own = ownMatchers("namespace", "ai", "chat");

  it("never read outside the namespace and name of the bridge", () => {
    for (const query of [
      plainQuery(own, 60_000),
      percentileQuery(own, "pod", 60_000),
      selector([...countedSeries(undefined), ...own]),
    ]) {
      const selectors = query.match(/\{[^}]*\}/g) ?? [];
      expect(selectors.length).toBeGreaterThan(0);
      for (const one of selectors) expect(one).toContain(',namespace="ai",bridge="chat"}');
    }
  });

  it("count slow requests at the bound at or below the objective, however it is written", () => {
    const text = (objectiveMs: number) => selector(countedSeries({ signal: "FirstByte", objectiveMs }));
    expect(text(120)).toContain('le=~"0\\\\.12|"');
    expect(text(130)).toContain('le=~"0\\\\.12|"');
    expect(text(1000)).toContain('le=~"1|1\\\\.0|"');
    expect(text(120)).toContain("llmbridge_first_byte_seconds_bucket|llmbridge_first_byte_seconds_count");
    expect(() => text(0.5)).toThrow(
      "The objective of 0.5ms is below the smallest bound of the histograms, 1ms.",
    );
  });
});
