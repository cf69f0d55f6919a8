import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { digestOf } from "../../rollout/gates/digest.ts";
import { parseAdministratorSettings } from "../../settings/file.ts";
import { BASE } from "../testing/fields.ts";
import { bookedGates, gateProblem, webhookQuestions } from "./gates.ts";

const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
const quality = { name: "quality", webhook: { receiver: "evals", timeout: "3s" } };
const smoke = { name: "smoke", job: { image: "registry.example/smoke:1" } };
const specOf = (...gates: object[]) =>
  llmBridgeSpec.parse({
    ...BASE,
    rollout: { gates, steps: [{ name: "all", weight: 100, gates: ["quality"] }] },
  });
const digests = specOf(quality, smoke).rollout.gates.map(digestOf);
const entry = {
  ...{ name: "quality", kind: "Webhook", digest: digests[0] ?? "", state: "Asked" },
  ...{ since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:30:00.000Z" },
};
const open = parseAdministratorSettings(
  JSON.stringify({ gateWebhooks: [{ name: "evals", url: "https://evals.example" }], gateJobs: {} }),
);
const statusOf = (gates: object[], rollout: object = {}) =>
  llmBridgeStatus.parse({
    canary: { revision: "new", image: "i:2", replicas: 1, ready: 1, desiredWeight: 100 },
    rollout: {
      ...{ phase: "Holding", phaseSince: "2026-01-01T00:00:00.000Z", stepName: "all" },
      ...{ stableRevision: "old", canaryRevision: "new", gates, ...rollout },
    },
  });

describe("bookedGates", () => {
  it("are those of the stored book, with what is asked", () => {
    const [found] = bookedGates(bridge, specOf(quality), statusOf([entry]), open);
    expect(found?.gate?.name).toBe("quality");
    expect(found?.question).toEqual({
      ...{ gate: "quality", bridge, revision: "new", stableRevision: "old", image: "i:2" },
      step: { name: "all", weight: 100 },
      ...{ since: entry.since, until: entry.until },
      canaryUrl: "http://chat-canary.ai.svc",
      stableUrl: "http://chat-production.ai.svc",
    });
  });

  it.each([
    ["belong to no canary", specOf(quality), statusOf([entry], { canaryRevision: undefined })],
    ["belong to a step that was removed", specOf(quality), statusOf([entry], { stepName: "gone" })],
  ])("are not those that %s", (_, spec, status) => {
    expect(bookedGates(bridge, spec, status, open)).toEqual([]);
  });

  it.each([
    ["the spec has no more", specOf(smoke), open],
    ["ask somebody else now", specOf({ ...quality, webhook: { receiver: "others" } }), open],
    ["are not permitted", specOf(quality), parseAdministratorSettings("")],
  ])("stay in it, and are not asked, where they %s", (_, spec, settings) => {
    const found = bookedGates(bridge, spec, statusOf([entry]), settings);
    expect(found).toMatchObject([{ gate: undefined, entry }]);
    expect(webhookQuestions(found)).toEqual([]);
  });
});

describe("webhookQuestions", () => {
  it("are asked of webhooks that have no verdict", () => {
    const ask = (...entries: object[]) =>
      webhookQuestions(bookedGates(bridge, specOf(quality, smoke), statusOf(entries), open));
    expect(ask(entry)).toMatchObject([{ gate: "quality", receiver: "evals", timeoutMs: 3_000 }]);
    expect(
      ask({ ...entry, state: "Passed" }, { ...entry, name: "smoke", kind: "Job", digest: digests[1] }),
    ).toEqual([]);
  });
});

describe("gateProblem", () => {
  const settings = parseAdministratorSettings(
    JSON.stringify({
      gateWebhooks: [{ name: "evals", url: "https://evals.example", allowedNamespaces: ["ai"] }],
      gateJobs: { allowedNamespaces: ["ai"] },
    }),
  );
  const nothing = parseAdministratorSettings("");
  it.each([
    ["a webhook of the settings", quality, "ai", settings, undefined],
    ["a Job", smoke, "ai", settings, undefined],
    [
      "a webhook that nobody knows",
      quality,
      "ai",
      nothing,
      '.webhook.receiver: "evals" is not in the operator\'s settings',
    ],
    [
      "a webhook of others",
      quality,
      "web",
      settings,
      '.webhook.receiver: "evals" is not open to this namespace',
    ],
    ["a Job where there are none", smoke, "ai", nothing, ".job: gates may run no Jobs here"],
    ["a Job where others have some", smoke, "web", settings, ".job: gates of this namespace may run no Jobs"],
  ])("of %s", (_, gate, namespace, given, problem) => {
    const said = gateProblem(
      {
        ...specOf(quality),
        rollout: {
          ...specOf(quality).rollout,
          gates: specOf(quality, smoke).rollout.gates.filter(({ name }) => name === gate.name),
        },
      },
      namespace,
      given,
    );
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(`spec.rollout.gates[0]${problem}`);
  });
});
