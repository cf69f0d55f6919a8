import { describe, expect, it } from "vitest";
import { lintYaml } from "./lint-yaml.ts";

const valid = `apiVersion: llmbridge.dev/v1alpha1
kind: LLMBridge
metadata: {name: chat}
spec:
  image: bridge:1
  upstreams:
    - {name: m, protocol: Ollama, url: "http://m:11434"}
`;

describe("lintYaml", () => {
  it("accepts a valid bridge", () => {
    expect(lintYaml(valid)).toEqual([{ kind: "valid", line: 1, message: "chat is valid." }]);
  });

  it("says of a valid bridge which gates can never be looked at", () => {
    const gates = "analysis: {gates: [{name: cpu, metric: CpuShare, maxIncrease: 20%}]}";
    const said = lintYaml(`${valid}  rollout: {strategy: BlueGreen, ${gates}}\n`);
    expect(said).toMatchObject([
      { kind: "valid", message: expect.stringContaining("gate cpu compares with the stable version") },
    ]);
  });

  it.each([
    [
      "a field that YAML 1.1 makes a boolean",
      "  imagePullPolicy: Off\n",
      8,
      "spec.imagePullPolicy",
      "YAML takes Off, No, On and Yes",
    ],
    ["an unknown field", "  rolout: {}\n", 8, "spec.rolout", "did you mean rollout?"],
    [
      "text without quotes",
      "  tuning:\n    nodeVersion: 24.15\n",
      9,
      "spec.tuning.nodeVersion",
      "put it in quotes",
    ],
    [
      "a quantity",
      "  resources: {limits: {memory: 1gb}}\n",
      8,
      "spec.resources.limits.memory",
      '"1gb" is not a quantity of bytes',
    ],
    ["a rule", "  workers: {min: 3, max: 2}\n", 8, "spec.workers.min", "min 3 is above max 2"],
    [
      "a number of YAML 1.1",
      "  pod: {env: [{name: A, value: 1_000}]}\n",
      8,
      "spec.pod.env[0].value",
      "put it in quotes",
    ],
    ["an empty field", "  budget:\n", 8, "spec.budget", "is empty; write a value or leave the field out."],
    ["a number out of bounds", "  replicas: 1001\n", 8, "spec.replicas", "1001 is above 1000"],
    [
      "an entry that stands twice",
      "  alerts:\n    - {name: a, metric: PoolWaiting, above: '1'}\n    - {name: a, metric: PoolWaiting, above: '1'}\n",
      10,
      "spec.alerts[1]",
      '"a" stands twice',
    ],
  ])("finds %s", (_, addition, line, path, sentence) => {
    expect(lintYaml(valid + addition)).toContainEqual({
      ...{ kind: "error", line, path },
      message: expect.stringContaining(sentence),
    });
  });

  it("leaves quoted words alone", () => {
    const findings = lintYaml(`${valid}  pod: {env: [{name: MODE, value: 'off'}]}\n`);
    expect(findings.map(({ kind }) => kind)).toEqual(["valid"]);
  });

  it("skips other kinds and goes on", () => {
    const findings = lintYaml(`kind: ConfigMap\n---\n${valid}`);
    expect(findings.map(({ kind }) => kind)).toEqual(["skipped", "valid"]);
  });

  it("expands merge keys", () => {
    const merged = `${valid}  resources:\n    requests: &size {cpu: 500m}\n    limits:\n      <<: *size\n      memory: 1gb\n`;
    expect(lintYaml(merged)).toEqual([
      expect.objectContaining({ kind: "error", line: 12, path: "spec.resources.limits.memory" }),
    ]);
    expect(lintYaml(merged.replace("1gb", "1Gi"))).toMatchObject([{ kind: "valid" }]);
    expect(lintYaml(`${valid}  pod: {<<: 7}\n`)).toMatchObject([
      { kind: "error", message: expect.stringMatching(/merge/i) },
    ]);
  });

  it.each([
    ["no text", "", []],
    ["a comment", "# nothing yet\n", []],
    ["an end", `${valid}---\n`, ["valid"]],
    ["templates that gave nothing", `---\n# Source: a.yaml\n---\n${valid}`, ["valid"]],
    ["null", `null\n---\n${valid}`, ["valid"]],
  ])("passes over empty documents: %s", (_, text, kinds) => {
    expect(lintYaml(text).map(({ kind }) => kind)).toEqual(kinds);
  });

  it.each(["kind: List\napiVersion: v1", "kind: LLMBridgeList\napiVersion: llmbridge.dev/v1alpha1"])(
    "looks at each object of a list: %j",
    (head) => {
      const [first, second] = [valid, `${valid}  replica: 2\n`].map(
        (text) => `  - ${text.trimEnd().replaceAll("\n", "\n    ")}\n`,
      );
      expect(lintYaml(`${head}\nitems:\n  - {kind: ConfigMap}\n${first}${second}`)).toMatchObject([
        { kind: "skipped", line: 4 },
        { kind: "valid", line: 5, message: "chat is valid." },
        {
          kind: "error",
          line: 19,
          path: "items[2].spec.replica",
          message: expect.stringContaining("replicas"),
        },
      ]);
      expect(lintYaml(`${head}\nitems: []\n`)).toEqual([]);
    },
  );

  it("does not take a misspelt kind for one of others", () => {
    expect(lintYaml(valid.replace("LLMBridge", "LLMBrdge"))).toMatchObject([
      { kind: "error", line: 2, path: "kind", message: expect.stringContaining("did you mean LLMBridge?") },
    ]);
  });

  it("says where YAML is broken", () => {
    expect(lintYaml("kind: LLMBridge\nspec: {image: [\n")[0]).toMatchObject({ kind: "error", path: "" });
  });

  it("finds what is missing", () => {
    const paths = lintYaml(
      "apiVersion: llmbridge.dev/v1alpha1\nkind: LLMBridge\nmetadata: {name: a}\nspec: {}\n",
    );
    expect(paths).toContainEqual({
      kind: "error",
      line: 4,
      path: "spec.image",
      message: "is missing; write it.",
    });
  });
});
