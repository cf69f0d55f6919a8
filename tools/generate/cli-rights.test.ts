import { describe, expect, it } from "vitest";
import { COMMAND_VERBS, command } from "../../operator/api/v1alpha1/commands.ts";
import { COMMAND_NAMES } from "../../operator/cli/command-table.ts";
import { cliReference } from "./cli-reference.ts";

describe("the rights in the reference of the plugin", () => {
  const text = cliReference();
  const rowOf = (name: string) => text.split("\n").find((line) => line.startsWith(`| \`${name}\` | `)) ?? "";

  it.each(COMMAND_NAMES)("say what %s needs", (name) => {
    expect(rowOf(name)).not.toBe("");
  });

  it.each(command.shape.action.options)(
    "ask of %s for patch, and for the verb of the admission policy",
    (name) => {
      expect(rowOf(name)).toContain(`| get, list, watch, patch | \`${COMMAND_VERBS[name]}\` |`);
    },
  );

  it.each(["undo", "set", "pause", "resume"])("ask of %s for patch", (name) => {
    expect(rowOf(name)).toMatch(/^\| `\w+` \| get,.* patch \|/);
  });

  it("name what is read beside bridges", () => {
    expect(rowOf("completion")).toContain("list on namespaces");
    expect(rowOf("set")).toContain("get on configmaps");
  });
});
