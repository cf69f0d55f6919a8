import { describe, expect, it } from "vitest";
import { questionBody, questionId } from "./question.ts";
import { question } from "./testing/questions.ts";

describe("questionId", () => {
  it.each([
    ["gate", { gate: "other" }],
    ["bridge", { bridge: { namespace: "ai", name: "chat", uid: "u-2" } }],
    ["revision", { revision: "other" }],
    ["step", { step: { name: "half", weight: 10 } }],
    ["stay at the step", { since: "2026-01-01T00:00:00.001Z" }],
  ])("is another for another %s", (_, change) => {
    expect(questionId(question(change))).not.toBe(questionId(question()));
  });

  it.each([
    ["deadline", { until: "2026-01-02T00:00:00.000Z" }],
    ["time for a try", { timeoutMs: 1 }],
  ])("is the same for another %s", (_, change) => {
    expect(questionId(question(change))).toBe(questionId(question()));
  });
});

describe("questionBody", () => {
  it("is a CloudEvent that says what is asked, and nothing of who is asked", () => {
    const { receiver: _, timeoutMs: __, ...asked } = question();
    const event = JSON.parse(questionBody(asked, 3)) as Record<string, unknown>;
    expect(event).toMatchObject({
      specversion: "1.0",
      id: questionId(question()),
      source: "/apis/llmbridge.dev/v1alpha1/namespaces/ai/llmbridges/chat",
      type: "dev.llmbridge.gate.asked",
      time: "2026-01-01T00:00:00.000Z",
    });
    expect(event.data).toEqual({
      bridge: { namespace: "ai", name: "chat", uid: "u-1" },
      gate: "quality",
      revision: "d04be81c22",
      image: "registry.example/bridge:2",
      stableRevision: "7c9f21a0b3",
      step: { name: "tenth", weight: 10 },
      until: "2026-01-01T00:30:00.000Z",
      canaryUrl: "http://chat-canary.ai.svc",
      stableUrl: "http://chat-production.ai.svc",
      attempt: 3,
    });
  });
});
