import { describe, expect, it } from "vitest";
import { COMMAND_VERBS, type Command, command } from "../api/v1alpha1/commands.ts";
import { rollout } from "../api/v1alpha1/rollout.ts";
import { commandFor } from "../cli/commands/order.ts";
import { sampleBridge } from "../cli/testing/sample-bridge.ts";
import { commandPattern, STEERING_FIELDS } from "./commands.ts";

const is = (verb: "promote" | "abort", text: string) => new RegExp(commandPattern(verb)).test(text);
const full: Command = { action: "jump", revision: "abc", step: "a", to: "b", full: true, id: "1" };

describe("the pattern of a verb", () => {
  it.each(command.shape.action.options)("knows %s, with every member that a command has", (action) => {
    const text = JSON.stringify({ ...full, action });
    expect(is("promote", text)).toBe(COMMAND_VERBS[action] === "promote");
    expect(is("abort", text)).toBe(COMMAND_VERBS[action] === "abort");
  });

  it("knows what kubectl llmbridge writes", () => {
    const args = { name: "chat", full: false, to: "all" };
    for (const action of ["promote", "skip", "jump", "abort"] as const) {
      const text = JSON.stringify(commandFor(sampleBridge(), { ...args, command: action }, "1"));
      expect(is(COMMAND_VERBS[action], text)).toBe(true);
    }
  });

  it.each([
    '{"action":"abort","id":"1","action":"promote"}',
    '{"action":"abort","id":"\\u0022"}',
    '{"action":"abort"} {"action":"promote"}',
    '{"id":"1","action":"abort"}',
    '[{"action":"abort"}]',
  ])("does not take %s for a command that only aborts", (text) => {
    expect(is("abort", text)).toBe(false);
  });
});

it("guards fields that there are", () => {
  const fields = Object.keys(rollout.unwrap().shape);
  for (const field of STEERING_FIELDS) expect(fields).toContain(field);
});
