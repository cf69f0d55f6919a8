import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import type { ObjectKey } from "../kube/object.ts";
import { parseAdministratorSettings } from "../settings/file.ts";
import { createGates } from "./gates.ts";
import { BASE } from "./testing/fields.ts";

const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
const spec = llmBridgeSpec.parse({
  ...BASE,
  rollout: {
    gates: [
      { name: "quality", webhook: { receiver: "evals" } },
      { name: "smoke", job: { image: "registry.example/smoke:1" } },
    ],
    steps: [{ name: "all", weight: 100, gates: ["quality", "smoke"] }],
  },
});
const entry = (name: string, kind: string) => ({
  ...{ name, kind, digest: "d", state: "Asked" },
  ...{ since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:30:00.000Z" },
});
const status = llmBridgeStatus.parse({
  rollout: {
    ...{ phase: "Holding", phaseSince: "2026-01-01T00:00:00.000Z", stepName: "all" },
    ...{ stableRevision: "old", canaryRevision: "new" },
    gates: [entry("quality", "Webhook"), entry("smoke", "Job")],
  },
});

function bed(text: string) {
  const seen: string[] = [];
  const listeners: ((key: ObjectKey) => void)[] = [];
  const side = (name: string) => ({
    forget: () => void seen.push(`${name} forgets`),
    onAnswer: (listener: (key: ObjectKey) => void) => void listeners.push(listener),
  });
  const answer = (name: string) => ({ name, since: "", kind: "Waiting" as const, message: "" });
  const gates = createGates({
    settings: () => parseAdministratorSettings(text),
    calls: {
      ...side("calls"),
      follow: (_, questions) => questions.map(({ gate }) => answer(gate)),
      configure: () => undefined,
      close: async () => undefined,
    },
    jobs: {
      ...side("jobs"),
      look: (_, booked) => booked.filter(({ gate }) => gate.job).map(({ gate }) => answer(gate.name)),
    },
  });
  return { gates, seen, listeners };
}

describe("gates of a bridge", () => {
  it("are heard of from webhooks and from Jobs", () => {
    const { gates } = bed('{"gateWebhooks": [{"name": "evals", "url": "https://a"}], "gateJobs": {}}');
    const { answers, problem } = gates.look(bridge, spec, status);
    expect(answers.map(({ name }) => name)).toEqual(["quality", "smoke"]);
    expect(problem).toBeUndefined();
  });

  it("that are not permitted are a problem", () => {
    expect(bed("").gates.look(bridge, spec, status).problem).toContain(
      "spec.rollout.gates[0].webhook.receiver",
    );
  });

  it("are left as they are where nothing can be read of them", () => {
    expect(bed("").gates.look(bridge, undefined, status)).toEqual({ answers: [], problem: undefined });
  });

  it("are forgotten, and told of, by both", () => {
    const { gates, seen, listeners } = bed("");
    gates.onAnswer(() => undefined);
    gates.forget(bridge);
    expect(seen).toEqual(["calls forgets", "jobs forgets"]);
    expect(listeners).toHaveLength(2);
  });
});
