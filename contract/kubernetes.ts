/** Names that pods carry and tools select by. */
export const GROUP = "llmbridge.dev";

export const LABELS = {
  /** The bridge a child belongs to: the LLMBridge's name. On pods and selectors; immutable. */
  bridge: `${GROUP}/bridge`,
  /** The revision hash. On pods and selectors; immutable. */
  revision: `${GROUP}/revision`,
  /** canary | production | previous | retired. On Deployment metadata only: promotion changes it without touching a pod. */
  track: `${GROUP}/track`,
} as const;
