import type { GateStatus } from "../../api/v1alpha1/status.ts";

/** What was heard of a gate since its question was stored. */
export interface GateAnswer {
  readonly name: string;
  /** `since` of the question that is answered; what answers an older one counts for nothing. */
  readonly since: string;
  /** Waiting: no verdict yet. NoData: there will be none. */
  readonly kind: Exclude<GateStatus["state"], "Asked"> | "Waiting";
  /** The reason given, or what the last try came to. */
  readonly message: string;
}
