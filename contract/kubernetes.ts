/** Names that pods carry and tools select by. */
export const GROUP = "llmbridge.dev";

export const LABELS = {
  /** The bridge a child belongs to: the LLMBridge's name. On pods and selectors; immutable. */
  bridge: `${GROUP}/bridge`,
  /** The revision hash; with the ending `-baseline` on pods that a canary is compared with. On pods and selectors; immutable. */
  revision: `${GROUP}/revision`,
  /** canary | production | previous | baseline | retired. On Deployment metadata only: promotion changes it without touching a pod. */
  track: `${GROUP}/track`,
} as const;
