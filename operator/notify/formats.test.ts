import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../egress/retry-after.ts";
import { ACTIONS } from "./actions.ts";
import { cloudEvent, cloudEventType } from "./cloud-event.ts";
import { decisionEvent } from "./decision-event.ts";
import { slackMessage } from "./slack.ts";
import { BRIDGE, decision, event, status } from "./testing/events.ts";

describe("an event's id", () => {
  const id = (more = {}, bridge = BRIDGE) => decisionEvent(bridge, decision(more), status()).id;

  it("is the same whatever has become of the bridge since, and no other decision's", () => {
    expect(decisionEvent(BRIDGE, decision(), status({ phase: "Aborted", verdicts: [] })).id).toBe(id());
    const others = [
      id({ time: "2026-01-02T03:04:05.679Z" }),
      id({ action: "Withdraw" }),
      id({ reason: "Command" }),
      id({ message: "another" }),
      id({}, { ...BRIDGE, uid: "another" }),
    ];
    expect(new Set([id(), ...others]).size).toBe(6);
    expect(id()).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("cloudEvent", () => {
  it("holds the decision with its numbers, in the attributes of CloudEvents 1.0", () => {
    expect(JSON.parse(cloudEvent(event()))).toEqual({
      specversion: "1.0",
      id: event().id,
      source: "/apis/llmbridge.dev/v1alpha1/namespaces/ai/llmbridges/chat",
      type: "dev.llmbridge.decision.rollback",
      subject: "ai/chat",
      time: "2026-01-02T03:04:05.678Z",
      datacontenttype: "application/json",
      data: {
        bridge: BRIDGE,
        severity: "Warning",
        decision: decision(),
        ...{ phase: "Aborting", summary: "Withdrawing canary d04be8.", step: status().step },
        ...{ stable: status().stable, canary: status().canary, verdicts: status().verdicts },
      },
    });
  });

  it("has a type for each action", () => {
    expect(cloudEventType("ScaleUp")).toBe("dev.llmbridge.decision.scale-up");
    for (const action of Object.keys(ACTIONS))
      expect(cloudEventType(action)).toMatch(/^dev\.llmbridge\.decision\.[a-z]+(-[a-z]+)*$/);
  });

  it("has no type that the documentation does not list", () => {
    const page = readFileSync(new URL("../../docs/concepts/notifications.md", import.meta.url), "utf8");
    const listed = /- `type` is [^:]*:([^.]*)\./s.exec(page.replace("`dev.llmbridge.decision.`", ""))?.[1];
    expect(
      listed
        ?.match(/[a-z-]+/g)
        ?.map((type) => `dev.llmbridge.decision.${type}`)
        .sort(),
    ).toEqual(Object.keys(ACTIONS).map(cloudEventType).sort());
  });
});

describe("slackMessage", () => {
  it("reads well, with the numbers beside it", () => {
    expect(JSON.parse(slackMessage(event()))).toEqual({
      text: "ai/chat: Rollback (ErrorsProvedWorse)",
      attachments: [
        {
          color: "danger",
          fallback:
            "ai/chat: Rollback (ErrorsProvedWorse): Revision d04be8 is rolled back: errors +5.1pp [+3.2, +7.0], n=610.",
          text: "Revision d04be8 is rolled back: errors +5.1pp [+3.2, +7.0], n=610.\nNot done: hold where it is: spec.rollout.onFailure is Rollback",
          fields: [
            { title: "Stable", value: "7c9f21 (10 of 10 pods ready)", short: true },
            { title: "Canary", value: "d04be8 (2 of 2 pods ready)", short: true },
            { title: "Step", value: "tenth, 10% (1 of 3)", short: true },
            { title: "errors", value: "ProvedWorse +5.1pp [+3.2, +7.0] n=610", short: true },
          ],
          ts: 1_767_323_045,
        },
      ],
    });
  });

  it("calls nobody and links nowhere, whatever a message holds", () => {
    const hostile = decision({ message: "<!channel> & <https://evil.example|click>" });
    const body = slackMessage(decisionEvent(BRIDGE, hostile, status()));
    expect(body).not.toMatch(/[<>]/);
    expect(body).toContain("&lt;!channel&gt; &amp; &lt;https");
  });
});

describe("retryAfterMs", () => {
  it.each([
    ["7", 7_000],
    ["0", 0],
    ["86400", 900_000],
    ["Thu, 01 Jan 1970 00:01:00 GMT", 50_000],
    ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads %j", (text, ms) => {
    expect(retryAfterMs(text, 10_000)).toBe(ms);
  });
});
