import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { KubeObject } from "../kube/object.ts";

/** A stored bridge as this tool shows it. It may come from an older or a newer operator, so nothing in status is counted on. */
export interface BridgeView extends KubeObject {
  readonly spec: LLMBridgeSpec;
  readonly status?: Partial<LLMBridgeStatus>;
}

/** What a command works with: the streams, the clock and the terminal, so that tests can give their own. */
export interface Terminal {
  /** Writes to stdout. */
  readonly write: (text: string) => void;
  /** Writes to stderr. */
  readonly warn: (text: string) => void;
  readonly readStdin: () => Promise<string>;
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** Stdout is a terminal: colours and redrawing are welcome. */
  readonly interactive: boolean;
  /** Ends watching. */
  readonly signal: AbortSignal;
}
