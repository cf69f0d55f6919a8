import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import type { ObjectKey } from "../kube/object.ts";
import { digestOf } from "../rollout/gates/digest.ts";
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
const digestIn = ({ rollout }: typeof spec, name: string) => {
  const gate = rollout.gates.find((one) => one.name === name);
  return gate ? digestOf(gate) : "";
};
const entry = (name: string, kind: string) => ({
  ...{ name, kind, digest: digestIn(spec, name), state: "Asked" },
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
      follow: (_, questions) => {
        seen.push(...questions.map(({ receiver }) => `asks ${receiver}`));
        return questions.map(({ gate }) => answer(gate));
      },
      configure: () => undefined,
      close: async () => undefined,
    },
    jobs: {
      ...side("jobs"),
      look: (_, booked) => booked.flatMap(({ gate }) => (gate?.job ? answer(gate.name) : [])),
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

  const others = { name: "others", url: "https://b", allowedNamespaces: ["web"] };
  const own = { name: "evals", url: "https://a" };
  const edited = (quality: object, smoke: object = { job: { image: "registry.example/smoke:1" } }) =>
    llmBridgeSpec.parse({
      ...BASE,
      rollout: {
        ...spec.rollout,
        gates: [
          { name: "quality", ...quality },
          { name: "smoke", ...smoke },
        ],
      },
    });

  it.each([
    ["another receiver", edited({ webhook: { receiver: "others" } }), { gateJobs: {} }, "smoke"],
    [
      "a Job",
      edited({ job: { image: "registry.example/any:1" } }),
      { gateJobs: { allowedNamespaces: ["web"] } },
      undefined,
    ],
    [
      "another image",
      edited({ webhook: { receiver: "evals" } }, { job: { image: "registry.example/any:1" } }),
      { gateJobs: {} },
      "quality",
    ],
    [
      "a receiver that is closed",
      spec,
      { gateWebhooks: [{ ...own, allowedNamespaces: ["web"] }] },
      undefined,
    ],
    ["Jobs that are closed", spec, { gateJobs: { allowedNamespaces: ["web"] } }, "quality"],
  ])("are not asked as %s in the name of what is booked", (_, asked, settings, heardOf) => {
    const { gates, seen } = bed(JSON.stringify({ gateWebhooks: [own, others], ...settings }));
    const { answers } = gates.look(bridge, asked, status);
    expect(answers.map(({ name }) => name)).toEqual(heardOf === undefined ? [] : [heardOf]);
    expect(seen).toEqual(heardOf === "quality" ? ["asks evals"] : []);
  });

  it("are asked by another deadline all the same", () => {
    const { gates, seen } = bed(JSON.stringify({ gateWebhooks: [own], gateJobs: {} }));
    const asked = edited({ webhook: { receiver: "evals", timeout: "9s" }, deadline: "2h" });
    expect(gates.look(bridge, asked, status).answers).toHaveLength(2);
    expect(seen).toEqual(["asks evals"]);
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
