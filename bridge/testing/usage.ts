import type { UsageRecord } from "../usage/usage.ts";

/** What one chat used. */
export const usageRecord: UsageRecord = {
  tenant: "acme",
  route: "chat",
  model: "m",
  upstream: "main",
  promptTokens: 12,
  completionTokens: 34,
  status: 200,
  durationMs: 56.5,
  cache: "miss",
};
