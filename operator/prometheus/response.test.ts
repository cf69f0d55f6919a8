import { describe, expect, it } from "vitest";
import { parseAnswer } from "./response.ts";

const matrix = (values: unknown) =>
  JSON.stringify({
    status: "success",
    data: { resultType: "matrix", result: [{ metric: { a: "b" }, values }] },
  });

describe("parseAnswer", () => {
  it("reads samples in milliseconds", () => {
    expect(
      parseAnswer(
        matrix([
          [1_700_000_000.123, "1"],
          [1_700_000_001, "2.5e3"],
        ]),
      ),
    ).toEqual({
      ok: true,
      series: [
        {
          labels: { a: "b" },
          samples: [
            { atMs: 1_700_000_000_123, value: 1 },
            { atMs: 1_700_000_001_000, value: 2500 },
          ],
        },
      ],
    });
  });

  it("reads a vector as series of one sample", () => {
    const body = JSON.stringify({
      status: "success",
      data: { resultType: "vector", result: [{ metric: {}, value: [1, "7"] }] },
    });
    expect(parseAnswer(body)).toEqual({
      ok: true,
      series: [{ labels: {}, samples: [{ atMs: 1000, value: 7 }] }],
    });
  });

  const remark =
    'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name ""';
  it.each([
    ["a remark on the expression", [remark], true],
    ["a remark beside a store that did not answer", [remark, "no store matched"], false],
    ["a warning about the expression", ['PromQL warning: bucket label "le" is missing'], false],
  ])("takes an answer with %s for what it is", (_, warnings, ok) => {
    const body = JSON.stringify({ ...JSON.parse(matrix([[1, "1"]])), warnings });
    expect(parseAnswer(body)).toMatchObject(ok ? { ok } : { ok, problem: "partial" });
  });

  it.each([
    ["NaN", [[1, "NaN"]]],
    [
      "infinities",
      [
        [1, "+Inf"],
        [2, "-Inf"],
      ],
    ],
    [
      "no number",
      [
        [1, ""],
        [2, "many"],
      ],
    ],
  ])("leaves out %s, and a series of nothing else", (_, values) => {
    expect(parseAnswer(matrix(values))).toEqual({ ok: true, series: [], numberless: [{ a: "b" }] });
  });

  it("takes one sample of a moment, and none from before the last one", () => {
    const parsed = parseAnswer(
      matrix([
        [1, "1"],
        [1, "9"],
        [2, "2"],
        [1.5, "8"],
      ]),
    );
    expect(parsed.ok && parsed.series[0]?.samples.map(({ value }) => value)).toEqual([1, 2]);
  });

  it.each([
    ["text", "<html>"],
    ["an error", JSON.stringify({ status: "error", error: "secret" })],
    ["a scalar", JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1, "1"] } })],
    ["numbers where texts belong", matrix([[1, 1]])],
    ["nothing", ""],
  ])("does not read %s", (_, body) => {
    expect(parseAnswer(body)).toEqual({ ok: false, problem: "unreadable" });
  });

  it("takes an answer with warnings as partial", () => {
    const body = JSON.stringify({
      status: "success",
      warnings: ["store is down"],
      data: { resultType: "vector", result: [] },
    });
    expect(parseAnswer(body)).toEqual({ ok: false, problem: "partial" });
  });
});
