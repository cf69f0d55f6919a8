import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RECIPES, toolFolderName } from "./recipes.ts";

describe("a tool's folder in the cache", () => {
  const recipe = { name: "helm", version: "v4.3.1", inputs: ["path"] } as const;

  it("names tool and version", () => {
    expect(toolFolderName(recipe, "x64")).toMatch(/^helm-v4\.3\.1-[0-9a-f]{12}$/);
  });

  it("changes with the version, any input, and the architecture", () => {
    const names = [
      toolFolderName(recipe, "x64"),
      toolFolderName(recipe, "arm64"),
      toolFolderName({ ...recipe, version: "v4.3.2" }, "x64"),
      toolFolderName({ ...recipe, inputs: ["other path"] }, "x64"),
      toolFolderName({ ...recipe, inputs: ["path", ""] }, "x64"),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("recipes", () => {
  it("build the tools that the cluster needs first, first", () => {
    const cluster = RECIPES.filter(({ purpose }) => purpose === "Cluster");
    expect(cluster.map((recipe) => recipe.name)).toEqual([
      "pause",
      "kubestack",
      "coredns",
      "prometheus",
      "helm",
      "gateway-api",
    ]);
  });

  it("name the version of CoreDNS that its go.mod asks for", () => {
    const { version } = RECIPES.find((recipe) => recipe.name === "coredns") ?? {};
    const required = readFileSync(join(import.meta.dirname, "coredns/go.mod"), "utf8");
    expect(required).toContain(`github.com/coredns/coredns ${version}\n`);
  });

  it("count the sources that stand here among their inputs", () => {
    const inputs = RECIPES.find((recipe) => recipe.name === "kubestack")?.inputs ?? [];
    expect(inputs).toEqual(
      expect.arrayContaining(["kubestack/main.go", "kubestack/go.mod", "kubestack/go.sum"]),
    );
  });
});
