import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { lintOutput } from "../outputs.ts";
import { run } from "../run.ts";
import { testTerminal } from "../testing/terminal.ts";

const bridge = (spec: object = {}) =>
  stringify({
    ...{ apiVersion: "llmbridge.dev/v1alpha1", kind: "LLMBridge", metadata: { name: "chat" } },
    spec: {
      image: "registry.example/bridge:1.4.0",
      upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
      ...spec,
    },
  });
const service = stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "s" } });

let folder: string;
const file = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-lint-"));
  writeFileSync(file("good.yaml"), bridge());
  writeFileSync(file("service.yaml"), service);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A command line that needs no cluster: an environment without a kubeconfig, unless one is given. */
async function llmbridge(argv: readonly string[], stdin = "", environment: Record<string, string> = {}) {
  const terminal = testTerminal({ readStdin: async () => stdin });
  const exitCode = await run(argv, { HOME: "/nowhere", ...environment }, terminal);
  return { exitCode, out: terminal.out, err: terminal.err };
}

describe("lint", () => {
  it("takes files as words and behind -f, folders and stdin", async () => {
    const { exitCode, out } = await llmbridge(["lint", folder, "-", "-f", file("good.yaml")], bridge());
    expect(exitCode).toBe(0);
    expect(out.split("\n").slice(0, -1)).toEqual([
      `${file("good.yaml")}:1: chat is valid.`,
      "stdin:1: chat is valid.",
      `${file("good.yaml")}:1: chat is valid.`,
    ]);
  });

  it("says what the operator would refuse too, with the place", async () => {
    const spec = { budget: { cpu: "1" }, scaling: { minReplicas: 1, maxReplicas: 20 } };
    const { exitCode, out } = await llmbridge(["lint", "-"], bridge(spec));
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^error: stdin:\d+: spec\.budget\.cpu: the plan needs 20 pods .*lower spec\.scaling/);
  });

  it("says that a file is of another kind, where it was named", async () => {
    expect(await llmbridge(["lint", file("service.yaml")])).toMatchObject({
      ...{ exitCode: 0, out: "", err: `${file("service.yaml")}:1: kind Service is not looked at.\n` },
    });
  });

  it("passes over what is no object of Kubernetes in a folder, where it was not named", async () => {
    const gitops = file("gitops");
    mkdirSync(gitops);
    writeFileSync(join(gitops, "chat.yaml"), bridge());
    writeFileSync(join(gitops, "kustomization.yaml"), "resources: [chat.yaml]\n");
    writeFileSync(join(gitops, "patch.json"), '[{"op": "remove", "path": "/a"}]');
    writeFileSync(join(gitops, "values.yaml"), "image: {tag: 1.4.0}\n");
    expect(await llmbridge(["lint", gitops])).toEqual({
      ...{ exitCode: 0, out: `${join(gitops, "chat.yaml")}:1: chat is valid.\n`, err: "" },
    });
    expect(await llmbridge(["render", gitops])).toMatchObject({ exitCode: 0, err: "" });
    expect(await llmbridge(["lint", join(gitops, "values.yaml")])).toMatchObject({ exitCode: 1 });
    writeFileSync(join(gitops, "web.yaml"), bridge().replace("kind: LLMBridge\n", ""));
    expect((await llmbridge(["lint", gitops])).out).toContain("web.yaml:1: kind: is missing; write it.");
  });

  it("tells programs the same", async () => {
    const { exitCode, out } = await llmbridge(["lint", folder, "-", "-o", "yaml"], bridge({ replica: 2 }));
    expect(exitCode).toBe(1);
    expect(lintOutput.parse(parse(out)).findings).toMatchObject([
      { file: file("good.yaml"), kind: "valid", line: 1, path: "" },
      { file: "stdin", kind: "error", path: "spec.replica" },
    ]);
  });

  it("says what is not there", async () => {
    expect(await llmbridge(["lint", file("none.yaml")])).toMatchObject({
      ...{ exitCode: 1, err: `error: there is no file ${file("none.yaml")}.\n` },
    });
  });
});

describe("render", () => {
  it("prints the children as YAML, in the namespace that is asked for", async () => {
    const { exitCode, out } = await llmbridge(["render", file("good.yaml"), "-n", "ai"]);
    expect(exitCode).toBe(0);
    const [comment = "", ...documents] = out.split(/^---\n/m);
    expect(comment).toMatch(
      /^# chat, revision [0-9a-f]{10}, as an operator of version .* makes it first\.\n$/,
    );
    expect(documents.map((text) => parse(text).metadata.namespace)).toEqual(Array(9).fill("ai"));
    expect((await llmbridge(["render", "-f", "-"], bridge())).out).toContain("namespace: default");
  });

  it("makes them in the namespace of the kubeconfig's context, where no other is asked for", async () => {
    const cluster = { name: "c", cluster: { server: "http://127.0.0.1:1" } };
    const contexts = ["web", "ai"].map((namespace) => ({
      name: `to-${namespace}`,
      context: { cluster: "c", user: "u", namespace },
    }));
    const users = [{ name: "u", user: {} }];
    const KUBECONFIG = file("kubeconfig");
    writeFileSync(
      KUBECONFIG,
      stringify({ "current-context": "to-web", clusters: [cluster], users, contexts }),
    );
    const rendered = async (...words: readonly string[]) => {
      const { out, err } = await llmbridge(["render", "-", ...words], bridge(), { KUBECONFIG });
      return err || /namespace: (.*)/.exec(out)?.[1];
    };
    expect(await rendered()).toBe("web");
    expect(await rendered("--context", "to-ai")).toBe("ai");
    expect(await rendered("-n", "mine")).toBe("mine");
    expect(await rendered("--context", "to-none")).toMatch(/context "to-none" does not exist/);
  });

  it("prints one list as JSON", async () => {
    const { out } = await llmbridge(["render", folder, "-o", "json"]);
    expect(JSON.parse(out)).toMatchObject({ kind: "List", items: { length: 9 } });
  });

  it("prints nothing of a file that has an error, but the error", async () => {
    const { exitCode, out, err } = await llmbridge(
      ["render", file("good.yaml"), "-"],
      bridge({ replica: 2 }),
    );
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: "" });
    expect(err).toMatch(/^error: stdin:\d+: spec\.replica: /);
    expect(await llmbridge(["render", file("service.yaml")])).toMatchObject({
      ...{ exitCode: 1, err: "error: there is no bridge in what was given.\n" },
    });
  });
});
