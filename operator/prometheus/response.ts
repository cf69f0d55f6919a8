import * as z from "zod";

/** One time series of an answer; samples in order of time, finite, one per moment. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly value: number;
}

const point = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const answer = z.object({
  status: z.literal("success"),
  /** A partial answer (a store that did not reply) comes with warnings. */
  warnings: z.array(z.string()).optional(),
  /** What VictoriaMetrics says in its place. */
  isPartial: z.boolean().optional(),
  data: z.discriminatedUnion("resultType", [
    z.object({
      resultType: z.literal("vector"),
      result: z.array(z.object({ metric: labels, value: point })),
    }),
    z.object({
      resultType: z.literal("matrix"),
      result: z.array(z.object({ metric: labels, values: z.array(point) })),
    }),
  ]),
});

/** Remarks on the expression, which say nothing of what is missing. Prometheus 2 and Thanos put them among the warnings; Prometheus 3 has a place for them. */
const INFO = "PromQL info:";

/** Labels of the series that are there and showed no number. */
export type Numberless = readonly Series["labels"][];

export type ParsedAnswer =
  | { readonly ok: true; readonly series: readonly Series[]; readonly numberless?: Numberless }
  | { readonly ok: false; readonly problem: "unreadable" | "partial" };

/** Reads the body of a query's answer. Samples that are no finite numbers (NaN, Inf) are left out, and so is all but one of a moment. */
export function parseAnswer(body: string): ParsedAnswer {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, problem: "unreadable" };
  }
  const parsed = answer.safeParse(json);
  if (!parsed.success) return { ok: false, problem: "unreadable" };
  const { warnings = [], isPartial = false } = parsed.data;
  if (warnings.some((one) => !one.startsWith(INFO)) || isPartial) return { ok: false, problem: "partial" };
  const { data } = parsed.data;
  const series =
    data.resultType === "vector"
      ? data.result.map(({ metric, value }) => ({ labels: metric, samples: samplesOf([value]) }))
      : data.result.map(({ metric, values }) => ({ labels: metric, samples: samplesOf(values) }));
  const numbered = series.filter(({ samples }) => samples.length > 0);
  const numberless = series.filter(({ samples }) => samples.length === 0).map(({ labels: own }) => own);
  return { ok: true, series: numbered, ...(numberless.length > 0 ? { numberless } : {}) };
}

function samplesOf(points: readonly [number, string][]): Sample[] {
  const samples: Sample[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for (const [seconds, text] of points) {
    const sample = { atMs: Math.round(seconds * 1000), value: text === "" ? Number.NaN : Number(text) };
    if (!Number.isFinite(sample.value) || !(sample.atMs > newest)) continue;
    newest = sample.atMs;
    samples.push(sample);
  }
  return samples;
}
