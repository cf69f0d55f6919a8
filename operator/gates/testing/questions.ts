import type { WebhookQuestion } from "../calls.ts";

/** A question, with what a test is about put in. */
export function question(change: Partial<WebhookQuestion> = {}): WebhookQuestion {
  return {
    gate: "quality",
    bridge: { namespace: "ai", name: "chat", uid: "u-1" },
    revision: "d04be81c22",
    image: "registry.example/bridge:2",
    stableRevision: "7c9f21a0b3",
    step: { name: "tenth", weight: 10 },
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:30:00.000Z",
    canaryUrl: "http://chat-canary.ai.svc",
    stableUrl: "http://chat-production.ai.svc",
    receiver: "evals",
    timeoutMs: 10_000,
    ...change,
  };
}
