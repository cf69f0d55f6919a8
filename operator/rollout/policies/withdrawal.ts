import type { AbortReason } from "../types.ts";

/** Why a canary leaves. */
export interface Withdrawal {
  reason: AbortReason;
  message: string;
}
