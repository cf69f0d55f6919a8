import { Counter, Registry } from "prom-client";
import type { Verdict } from "./verdict.ts";

export interface GateMetrics {
  /** Tries of webhooks by what came of them. What gates came to are decisions, and counted as such. */
  readonly tries: Counter<"receiver" | "result">;
}

export function createGateMetrics(registry: Registry = new Registry()): GateMetrics {
  return {
    tries: new Counter({
      name: "llmbridge_operator_gate_tries_total",
      help: "Times that a gate's webhook was asked, by what came of it: pass, fail, wait, error",
      labelNames: ["receiver", "result"],
      registers: [registry],
    }),
  };
}

export const RESULTS = {
  Passed: "pass",
  Failed: "fail",
  Wait: "wait",
  Error: "error",
} as const satisfies Record<Verdict["kind"], string>;

/** Series exist before the first error, or an alert on it could not fire. */
export function beginSeries({ tries }: GateMetrics, receiver: string): void {
  for (const result of Object.values(RESULTS)) tries.inc({ receiver, result }, 0);
}

export function endSeries({ tries }: GateMetrics, receiver: string): void {
  for (const result of Object.values(RESULTS)) tries.remove({ receiver, result });
}
