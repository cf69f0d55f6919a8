import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, sameJson } from "./canonical.ts";

describe("sameness", () => {
  /** Few values, so that many of the pairs are equal. */
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, 0, 1, "", "a", true),
      fc.array(tie("any"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(tie("any"), fc.constant(undefined)), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    ),
  })).any;

  it("is that of canonical JSON", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(sameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
        expect(sameJson(a, structuredClone(a))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("canonical JSON", () => {
  it("says what JSON does, of any text, as a key and as a value", () => {
    const odd = fc.constantFrom("a\nb", "$", '"', "\\", "\u2028", "\ud800", "");
    const text = fc.oneof(fc.string({ unit: "binary" }), odd);
    fc.assert(
      fc.property(text, text, (key, member) => {
        expect(canonicalJson({ [key]: [member] })).toBe(JSON.stringify({ [key]: [member] }));
      }),
      { numRuns: 2_000 },
    );
  });

  it("sorts members as text, also those that look like numbers, and leaves out what is undefined", () => {
    const written = canonicalJson({ b: [2, null, undefined], 9: 1, 10: { z: undefined, "a b": Number.NaN } });
    expect(written).toBe('{"10":{"a b":null},"9":1,"b":[2,null,null]}');
  });
});
