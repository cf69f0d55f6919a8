import * as z from "zod";
import { durationMs } from "../api/v1alpha1/scalars.ts";
import { retryAfterMs } from "../egress/retry-after.ts";

/** What came of one try. */
export type Verdict =
  | { readonly kind: "Passed"; readonly reason: string }
  | { readonly kind: "Failed"; readonly reason: string }
  /** It says that it does not know yet. */
  | { readonly kind: "Wait"; readonly reason: string; readonly afterMs: number }
  /** Nothing that decides. `afterMs`: not before then, if it asks for that. */
  | { readonly kind: "Error"; readonly reason: string; readonly afterMs?: number };

/** Asked for in the body of `wait`; without it. */
const WAIT_MS = 15_000;
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Longest reason that is shown. */
const MOST_REASON = 200;

const answer = z.object({
  verdict: z.enum(["pass", "fail", "wait"]),
  reason: z.string().optional(),
  retryAfter: z
    .union([z.number().nonnegative(), z.string().refine((text) => msOf(text) !== undefined)])
    .optional(),
});

/** What a webhook says: a JSON object with `verdict`, and perhaps `reason` and `retryAfter`. Other members are passed over. */
export function verdictOf(
  status: number,
  headers: { readonly "retry-after"?: string | undefined },
  body: string,
  nowMs: number,
): Verdict {
  const header = retryAfterMs(headers["retry-after"], nowMs);
  if (status < 200 || status > 299) {
    const reason = `HTTP status ${status}`;
    return { kind: "Error", reason, ...(header === undefined ? {} : { afterMs: header }) };
  }
  const parsed = answer.safeParse(jsonOf(body));
  if (!parsed.success)
    return {
      kind: "Error",
      reason: `HTTP status ${status} without a verdict; it must answer {"verdict": "pass"}, "fail" or "wait"`,
    };
  const { verdict, retryAfter } = parsed.data;
  const reason = plain(parsed.data.reason ?? "");
  if (verdict !== "wait") return { kind: verdict === "pass" ? "Passed" : "Failed", reason };
  const asked = typeof retryAfter === "number" ? retryAfter * 1000 : msOf(retryAfter ?? "");
  const afterMs = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, asked ?? header ?? WAIT_MS));
  return { kind: "Wait", reason, afterMs };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function msOf(text: string): number | undefined {
  try {
    return durationMs(text);
  } catch {
    return undefined;
  }
}

/** Of somebody else's text: one line, without what a terminal would obey. */
export function plain(text: string): string {
  const line = text
    .slice(0, 4 * MOST_REASON)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return line.length > MOST_REASON ? `${line.slice(0, MOST_REASON - 1)}…` : line;
}
