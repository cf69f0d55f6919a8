import { describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../command-table.ts";
import { type Asked, candidates } from "./candidates.ts";

const known: Record<Asked["kind"], readonly (readonly [string, string])[]> = {
  Names: [
    ["chat", "Stable"],
    ["chart", "Holding"],
    ["other", ""],
  ],
  Namespaces: [
    ["ai", ""],
    ["default", ""],
  ],
  Steps: [
    ["tenth", "10%"],
    ["half", "50%"],
  ],
};

/** What completes the last word, and what the cluster was asked. */
async function completed(...words: string[]) {
  const asked: Asked[] = [];
  const { found, files } = await candidates(words, async (question) => {
    asked.push(question);
    return known[question.kind];
  });
  return { words: found.map(([word]) => word), files, asked };
}
const nowhere = { namespace: undefined, context: undefined, kubeconfig: undefined };

describe("candidates", () => {
  it.each([
    [[""], COMMAND_NAMES],
    [["pro"], ["promote"]],
    [
      ["-n", "ai", "re"],
      ["restart", "resume", "retry", "render"],
    ],
    [["promote", "chat", "--f"], ["--full"]],
    [
      ["get", "-o", ""],
      ["json", "yaml"],
    ],
    [["status", "chat", "--until", "p"], ["promoted"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish", "kubectl"],
    ],
    [["set", ""], ["image"]],
    [["set", "image", "chat", ""], []],
    [["promote", "chat", ""], []],
    [["version", ""], []],
  ])("of %j are %j, without a word to the cluster", async (words, found) => {
    expect(await completed(...words)).toEqual({ words: found, files: false, asked: [] });
  });

  it.each([
    [
      ["promote", "cha"],
      ["chat", "chart"],
    ],
    [
      ["set", "image", "cha"],
      ["chat", "chart"],
    ],
    [["--full", "promote", "chat"], ["chat"]],
  ])("of %j are bridges", async (words, found) => {
    expect(await completed(...words)).toEqual({
      ...{ words: found, files: false, asked: [{ kind: "Names", place: nowhere }] },
    });
  });

  it("asks where the person looks", async () => {
    const place = { namespace: "ai", context: "prod", kubeconfig: "k" };
    const { asked } = await completed("-n", "ai", "--context=prod", "get", "--kubeconfig", "k", "");
    expect(asked).toEqual([{ kind: "Names", place }]);
    expect((await completed("get", "-n=ai", "")).asked).toMatchObject([{ place: { namespace: "ai" } }]);
  });

  it("knows steps and namespaces", async () => {
    expect(await completed("jump", "chat", "--to", "h")).toMatchObject({
      ...{ words: ["half"], asked: [{ kind: "Steps", name: "chat" }] },
    });
    expect((await completed("get", "-n", "a")).words).toEqual(["ai"]);
  });

  it.each([[["lint", ""]], [["get", "--kubeconfig", ""]], [["diff", "-f", ""]]])(
    "of %j may be files",
    async (words) => {
      expect(await completed(...words)).toMatchObject({ files: true, asked: [] });
    },
  );
});
