import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { World } from "../../bridges/testing/world.ts";
import { revisionFiles } from "../diff/revision-files.ts";
import { colours } from "./colour.ts";
import { diffText, fileDiffs, type Side } from "./diff.ts";

const spec = llmBridgeSpec.parse({
  image: "registry.example/bridge:1.4.0",
  upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
});

/** A revision as the operator keeps it in its ConfigMap. */
function side(name: string, change: object) {
  const world = new World({ ...spec, ...change } as never);
  world.pass();
  const map = [...world.children.values()].find(({ object }) => "immutable" in object)?.object as unknown as {
    metadata: { labels: Record<string, string> };
    data: Record<string, string>;
  };
  const revision = map.metadata.labels["llmbridge.dev/revision"] ?? "";
  return { name, files: revisionFiles(map.data, revision) };
}

const textOf = (before: Side, after: Side, coloured = false) =>
  diffText(fileDiffs(before, after), colours(coloured));

describe("diffText", () => {
  it("shows what was written and what follows from it, without the hash that is in every name", () => {
    const upstreams = [{ name: "m", protocol: "Ollama", url: "http://m:11435" }];
    const resources = { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "2Gi" } };
    const after = side("chat-b", { upstreams, resources, image: "registry.example/bridge:1.5.0" });
    const text = textOf(side("chat-a", {}), after);
    expect(text).toMatch(/^--- chat-a\/config\.json\n\+\+\+ chat-b\/config\.json\n@@ /);
    for (const line of [
      '-      "url": "http://m:11434",',
      '+      "url": "http://m:11435",',
      "+++ chat-b/NODE_OPTIONS",
      "-          image: registry.example/bridge:1.4.0",
      "+          image: registry.example/bridge:1.5.0",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/\n-(--max-\S+)\n/);
    expect(text).not.toMatch(/^[-+].*llmbridge\.dev\/revision/m);
  });

  it("is empty for equal revisions, and shows what cannot be read as it is", () => {
    expect(textOf(side("a", {}), side("b", {}))).toBe("");
    const odd = (text: string) => ({ name: text, files: revisionFiles({ "deployment.json": text }, "r") });
    expect(textOf(odd("{"), odd("}"))).toContain("-{\n+}\n");
  });

  it("is coloured on a terminal", () => {
    expect(textOf(side("a", {}), side("b", { image: "i:2" }), true)).toContain("\u001b[32m+ ");
  });
});
