import { parser } from "@prometheus-io/lezer-promql";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LATENCY_BOUNDS_SECONDS } from "../../contract/histograms.ts";
import type { PrometheusClient } from "./client.ts";
import { percentileQuery } from "./fleet-queries.ts";
import { equal } from "./promql.ts";
import { readBaseline, readIntervals } from "./read-counts.ts";
import { readFleet } from "./read-fleet.ts";

/** Every expression is read by Prometheus' own grammar, the one its web interface uses. */

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

interface ReadMatcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

/** The matchers of every selector of an expression. Throws where the grammar does not take it, or a selector stands without matchers. */
function selectorsOf(expression: string): ReadMatcher[][] {
  const selectors: ReadMatcher[][] = [];
  const text = (node: SyntaxNode | null) => (node === null ? "" : expression.slice(node.from, node.to));
  parser.parse(expression).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (type.name !== "VectorSelector") return;
      const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
      // A name in front of the braces, or a matcher of another form, is none that we write.
      expect(text(node).startsWith("{")).toBe(true);
      selectors.push(
        matchers.map((matcher) => ({
          label: text(matcher.getChild("LabelName")),
          op: text(matcher.getChild("MatchOp")),
          value: JSON.parse(text(matcher.getChild("StringLiteral"))) as string,
        })),
      );
    },
  });
  return selectors;
}

const hostile = fc.oneof(
  fc.string({ unit: "binary", minLength: 1 }),
  fc.string({ unit: "grapheme", minLength: 1 }),
  fc.constantFrom(
    '"} or {a="',
    '"}) or vector(1) #',
    "\\",
    '\\"',
    "a\nb",
    "|.*",
    ".*",
    '"]',
    "`",
    "'",
    "#",
    "{{",
    "$1",
    "\u0000",
    "\u007f",
    "\u2028",
    "\ud800",
    '", namespace=~".+',
    " or ",
  ),
);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,20}$/);
const milliseconds = fc.integer({ min: -1, max: 10 ** 12 });
const longest = Math.max(...LATENCY_BOUNDS_SECONDS) * 1000;

const world = fc.record({
  namespace: hostile,
  bridge: hostile,
  canary: hostile,
  stable: hostile,
  labels: fc.record({ namespace: labelName, pod: labelName }),
  matchers: fc.dictionary(labelName, fc.oneof(fc.constant(""), hostile), { maxKeys: 3 }),
  atMs: milliseconds,
  windowMs: fc.oneof(milliseconds, fc.double({ noNaN: true, min: 0, max: 10 ** 9 })),
  intervalMs: fc.integer({ min: 1, max: 3_600_000 }),
  intervals: fc.integer({ min: 2, max: 50 }),
  latency: fc.option(
    fc.record({
      signal: fc.constantFrom("FirstByte" as const, "Total" as const, "Added" as const),
      objectiveMs: fc.integer({ min: 1, max: 2 * longest }),
    }),
    { nil: undefined },
  ),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** What all readings of a bridge ask a source. */
async function askedFor(given: World): Promise<string[]> {
  const asked: string[] = [];
  const client: PrometheusClient = {
    async query(expression) {
      asked.push(expression);
      return { ok: true, series: [] };
    },
    close: async () => undefined,
  };
  const { labels, atMs, windowMs, latency, ...names } = given;
  const matchers = Object.entries(given.matchers).map(([label, value]) => equal(label, value));
  const reader = { client, labels, matchers, sourceLagMs: 0, scrapeIntervalMs: undefined };
  const span = {
    ...names,
    fromMs: atMs,
    toMs: atMs + given.intervals * given.intervalMs,
    readyPods: [],
    ...(latency === undefined ? {} : { latency }),
  };
  await readIntervals(reader, span);
  await readBaseline(reader, span);
  await readFleet(reader, { ...names, atMs, windowMs });
  return asked;
}

describe("every query", () => {
  it("is PromQL, and holds the namespace and the name of the bridge in every selector, whatever it is made of", async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const asked = await askedFor(given);
        expect(asked.length).toBeGreaterThanOrEqual(6);
        for (const expression of asked) {
          const selectors = selectorsOf(expression);
          expect(selectors.length).toBeGreaterThan(0);
          // Matchers of a selector all hold at once: nothing that stands beside these two can make it select more.
          for (const matchers of selectors) {
            expect(matchers).toContainEqual({
              ...{ label: given.labels.namespace, op: "=" },
              value: given.namespace.toWellFormed(),
            });
            expect(matchers).toContainEqual({ label: "bridge", op: "=", value: given.bridge.toWellFormed() });
            for (const [label, value] of Object.entries(given.matchers))
              expect(matchers).toContainEqual({ label, op: "=", value: value.toWellFormed() });
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is not made for an empty namespace or name, which would select what has none", async () => {
    const own = { namespace: "ai", bridge: "chat", canary: "new", stable: "old" };
    const given = { labels: { namespace: "namespace", pod: "pod" }, matchers: {}, latency: undefined };
    const times = { atMs: 0, windowMs: 60_000, intervalMs: 1000, intervals: 2 };
    await expect(askedFor({ ...own, ...given, ...times, namespace: "" })).rejects.toThrow(
      "needs the namespace",
    );
    await expect(askedFor({ ...own, ...given, ...times, bridge: "" })).rejects.toThrow("needs the namespace");
  });

  it("is not made with a label that could end an expression", () => {
    expect(() => percentileQuery([], "pod) or (up", 1000)).toThrow("is not a label name");
  });
});

describe("selectorsOf", () => {
  it.each(['{a="1"', '{a="1"} or', "sum by (a b) (x)", '{a="\n"}'])("takes %j for no PromQL", (text) => {
    expect(() => selectorsOf(text)).toThrow();
  });
});
