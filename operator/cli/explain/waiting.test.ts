import { describe, expect, it } from "vitest";
import { SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { whatItWaitsFor } from "./waiting.ts";

describe("whatItWaitsFor", () => {
  const held = { name: "half", index: 1, count: 3, weight: 50 };
  const verdict = (category: string) => [{ signal: "errors", category, message: "m." }];
  const canary = { revision: "d04be8", image: "i:2", replicas: 2, ready: 1, desiredWeight: 10 };
  const accepted = {
    ...{ type: "Accepted", status: "False", reason: "BadImage", message: "m." },
    lastTransitionTime: "2026-11-21T09:00:00Z",
  };
  const unscraped = {
    ...{ type: "MetricsAvailable", status: "False", reason: "EvidenceMissing" },
    ...{ message: "Ready pods without samples: p-1.", lastTransitionTime: "2026-11-21T09:00:00Z" },
  };
  const holding = { phase: "Holding", phaseSince: "2026-11-21T09:00:00Z" };
  const gate = {
    ...{ name: "quality", kind: "Webhook", digest: "d", message: "12 of 40." },
    ...{ since: "2026-11-21T15:30:00Z", until: "2026-11-21T16:00:00Z" },
  };
  const failed = {
    revision: "d04be8",
    reason: "ErrorsProvedWorse",
    message: "errors +5pp",
    time: "2026-11-21T09:00:00Z",
  };
  const rest = { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z" };

  it.each<[string, { status?: object; rollout?: object }, string]>([
    ["the hold", {}, "The hold of step tenth ends in 41h12m."],
    [
      "a pause",
      { rollout: { paused: true } },
      "It is paused; `kubectl llmbridge resume chat` lets it go on.",
    ],
    ["pods", { status: { canary } }, "1 of 2 of its pods are ready."],
    [
      "metrics, whatever was proved before",
      {
        status: {
          ...{ conditions: [unscraped], verdicts: verdict("ProvedBelow") },
          rollout: { ...holding, heldFor: "MetricsUnavailable" },
        },
      },
      "There is nothing to judge by: Ready pods without samples: p-1.",
    ],
    [
      "metrics for too long",
      {
        status: {
          ...{ conditions: [unscraped], verdicts: verdict("Undecided") },
          rollout: { ...holding, heldFor: "NoDataTooLong" },
        },
      },
      "There is nothing to judge by: Ready pods without samples: p-1. `kubectl llmbridge promote chat` or `abort` decides.",
    ],
    ["data", { status: { verdicts: verdict("NoData") } }, "There is no evidence to judge by: m."],
    ["a gate", { status: { verdicts: verdict("Violated") } }, "errors is against it: m."],
    [
      "nothing that only runs dry",
      { status: { step: held, verdicts: verdict("Violated").map((one) => ({ ...one, dryRun: true })) } },
      "Holding: step tenth (10%) until 2026-11-23T09:00Z.",
    ],
    ["proof", { status: { step: held, verdicts: verdict("Undecided") } }, "errors is not proved yet: m."],
    ...(
      [
        [
          "a gate that was asked",
          "GatePending",
          "Asked",
          "Gate quality was asked 18m ago and has given no verdict yet: 12 of 40; it has until 16:00:00 (12m more).",
        ],
        [
          "a gate without a verdict",
          "GateNoData",
          "NoData",
          "Gate quality gave no verdict: 12 of 40; `kubectl llmbridge promote chat` or `abort` decides.",
        ],
        [
          "a gate that has failed",
          "GateFailed",
          "Failed",
          "Gate quality has failed: 12 of 40; `kubectl llmbridge promote chat` or `abort` decides.",
        ],
      ] as const
    ).map(([what, heldFor, state, answer]): [string, { status: object }, string] => [
      what,
      { status: { step: held, rollout: { ...holding, heldFor, gates: [{ ...gate, state }] } } },
      answer,
    ]),
    [
      "approval",
      { status: { step: { ...held, needsApproval: true } } },
      "Step half waits for a person: `kubectl llmbridge promote chat`.",
    ],
    ["a correct spec", { status: { conditions: [accepted] } }, "The spec is refused: m."],
    ["an end of the rollback", { status: { phase: "Aborting" } }, "It is being rolled back."],
    [
      "a freeze",
      { status: { summary: "Freeze.", rollout: { ...rest, phase: "Holding", heldFor: "FleetFreeze" } } },
      "Freeze.",
    ],
    [
      "its baseline",
      {
        status: {
          summary: "Not ready.",
          rollout: { ...rest, phase: "Holding", heldFor: "BaselineNotReady" },
        },
      },
      "Not ready.",
    ],
    [
      "its turn",
      {
        status: {
          ...{ phase: "Stable", canary: undefined },
          summary: "After b.",
          rollout: { ...rest, queued: { revision: "d04be8", since: rest.phaseSince } },
        },
      },
      "After b.",
    ],
    ...(["Paused", "AlertHold", "NoPodsNeeded", "NoRoom", "RouteNotReady"] as const).map(
      (heldFor): [string, { status: object }, string] => [
        `what keeps a change from starting (${heldFor})`,
        {
          status: {
            ...{ phase: "Stable", canary: undefined, summary: "Serving. It waits." },
            rollout: { ...rest, heldFor },
          },
        },
        "Serving. It waits.",
      ],
    ),
    [
      "nothing while its successor gets its pods",
      {
        status: {
          ...{ phase: "Promoting", canary: undefined },
          rollout: { ...rest, phase: "Promoting", heldFor: "PodsNotReady" },
        },
      },
      "The stable version is what the spec asks for.",
    ],
    [
      "nothing, with what the traffic could prove",
      { status: { canary: undefined, rollout: rest, forecast: { message: "Within about 3h." } } },
      "The stable version is what the spec asks for. Within about 3h.",
    ],
    [
      "nothing",
      { status: { canary: undefined, rollout: rest } },
      "The stable version is what the spec asks for.",
    ],
    [
      "a person after a rollback",
      { status: { canary: undefined, rollout: { ...rest, failed } } },
      "Revision d04be8: errors +5pp. Change the spec, or try the same again with `kubectl llmbridge retry chat`.",
    ],
  ])("waits for %s", (_, change, answer) => {
    expect(whatItWaitsFor(sampleBridge(change), SAMPLE_NOW_MS).answer).toBe(answer);
  });
});
