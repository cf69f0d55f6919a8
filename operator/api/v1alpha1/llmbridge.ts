export const GROUP = "llmbridge.dev";
export const VERSION = "v1alpha1";
export const KIND = "LLMBridge";
export const PLURAL = "llmbridges";

/** Names end up in child names (revision hash and `-runtime` appended), so they are DNS-1035 of at most 35 characters. */
export const NAME_MAX_LENGTH = 35;
/** What the API server allows for any name; longer ones never reach a rule. */
export const NAME_SCHEMA_MAX_LENGTH = 253;
export const RESERVED_NAME_ENDINGS = ["-canary", "-production", "-baseline"] as const;
