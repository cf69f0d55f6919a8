import type { EvidenceState } from "../evidence/state.ts";
import type { WatchState } from "../evidence/watch.ts";
import type { AlertsState } from "../scaling/alerts.ts";
import type { ScalingState } from "../scaling/state.ts";
import type { KubeletReason } from "./observe/kubelet.ts";

/**
 * What one process remembers of a bridge between passes. All of it may be lost at any moment: evidence is checkpointed in status and
 * the intervals since are read again, scaling holds until it has seen a whole window, alerts start their clocks anew.
 */
export interface Memory {
  readonly scaling: ScalingState | undefined;
  readonly alerts: AlertsState | undefined;
  /** Newer than or equal to the checkpoint in status. */
  readonly evidence: { readonly revision: string; readonly state: EvidenceState } | undefined;
  /** The same of a version that is watched after its promotion. */
  readonly watch: { readonly revision: string; readonly state: WatchState } | undefined;
  readonly kubelet: Readonly<Record<string, KubeletReason>>;
  /** When numbers were last written to status. */
  readonly statusWrittenMs: number | undefined;
  /** When the traffic was last looked at for the forecast. */
  readonly forecastMs: number | undefined;
  /** When what is taken over was last looked at. */
  readonly takeOverMs: number | undefined;
  /** When this process first saw the bridge. */
  readonly since: number;
}

export function emptyMemory(nowMs: number): Memory {
  return {
    scaling: undefined,
    alerts: undefined,
    evidence: undefined,
    watch: undefined,
    kubelet: {},
    statusWrittenMs: undefined,
    forecastMs: undefined,
    takeOverMs: undefined,
    since: nowMs,
  };
}
