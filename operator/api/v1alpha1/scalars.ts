import * as z from "zod";
import { KINDS, type KindName, refusedText } from "./kinds.ts";

/** Kinds of text in the resource, each with its pattern, bounds and a parser. Floats are never used: ratios are percent strings. */

/** Text of a kind: the same pattern and the same sentence here and in the CRD. */
export const textOf = (kind: KindName, description: string, maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(new RegExp(KINDS[kind].pattern), { error: ({ input }) => refusedText(kind, String(input)) })
    .meta({ description, "x-llmbridge-kind": kind });

/** "10%" or "0.1%": a share of a whole. */
export const percent = (description: string) => textOf("percent", description, 8);

/** Like percent, but may exceed 100 %: growth over another version. */
export const growth = (description: string) => textOf("growth", description, 9);

/** "90s", "15m", "48h", "1h30m", "250ms". */
export const duration = (description: string) => textOf("duration", description, 32);

/** Kubernetes quantity of bytes: "512Mi", "1Gi", "64M". */
export const bytes = (description: string) => textOf("bytes", description, 20);

/** Kubernetes quantity of CPUs: "500m", "2", "1.5". */
export const cpu = (description: string) => textOf("cpu", description, 12);

/** Name of something inside the resource (upstream, step, alert): a DNS label. */
export const name = (description: string, max = 40) => textOf("name", description, max);

/** A map of text, bounded in entries and in the length of values. */
export const textMap = (description: string, max: { entries: number; valueLength: number }) =>
  z
    .record(z.string().max(316), z.string().max(max.valueLength))
    .refine((map) => Object.keys(map).length <= max.entries, {
      error: `must not have more than ${max.entries} entries`,
    })
    .default({})
    .meta({ description, maxProperties: max.entries });

const secretKeyFields = {
  name: textOf("secretName", "Name of the Secret, in the namespace of the bridge.", 253),
  key: textOf("secretKey", "Key in the Secret.", 253),
};

/** A key of a Secret in the bridge's namespace. */
export const secretRef = (description: string) => z.strictObject(secretKeyFields).meta({ description });

/** What a change of a Secret that the pods of a revision read leads to; without a default, so that specs of before are stored as they were. */
export const onSecretChange = z.enum(["Ignore", "Canary"]).optional().meta({
  description:
    "Ignore: the pods read the Secret itself, files as they change, variables when they start. Canary: a change of its content is a new revision, and each revision keeps the content it was made with; the administrator allows it by the Secret's name (the chart's value canarySecrets). Absent: Ignore.",
});

/** The same, read by the pods of a revision. */
export const podSecretRef = (description: string) =>
  z.strictObject({ ...secretKeyFields, onChange: onSecretChange }).meta({ description });

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Duration text to milliseconds. Throws RangeError on text that the schema would refuse. */
export function durationMs(text: string): number {
  let total = 0;
  let consumed = 0;
  for (const match of text.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    total += Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
    consumed += match[0].length;
  }
  if (consumed !== text.length || text === "")
    throw new RangeError(`"${text}" is not a duration such as 90s or 1h30m`);
  return total;
}

/** "0.5%" to 0.005. */
export function share(text: string): number {
  const value = Number(text.slice(0, -1));
  if (!text.endsWith("%") || !Number.isFinite(value))
    throw new RangeError(`"${text}" is not a percentage such as 0.5%`);
  return value / 100;
}

const BYTE_UNITS: Record<string, number> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** "512Mi" to bytes. */
export function quantityBytes(text: string): number {
  const match = /^([0-9.]+)([A-Za-z]*)$/.exec(text);
  const factor = BYTE_UNITS[match?.[2] ?? "?"];
  if (!match || factor === undefined)
    throw new RangeError(`"${text}" is not a quantity such as 512Mi or 1Gi`);
  return Number(match[1]) * factor;
}

/** "500m" to 0.5 CPUs. */
export function quantityCpus(text: string): number {
  const value = text.endsWith("m") ? Number(text.slice(0, -1)) / 1000 : Number(text);
  if (!Number.isFinite(value)) throw new RangeError(`"${text}" is not a CPU quantity such as 500m or 2`);
  return value;
}
