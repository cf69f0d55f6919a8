import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { fieldSchema } from "../../operator/api/crd.ts";
import { nodeAt } from "../../operator/api/schema/validations.ts";
import { lintYaml } from "../../operator/cli/lint-yaml.ts";
import { bridgeServer } from "./bridge-server.ts";

const folder = join(import.meta.dirname, "../../examples");
const examples = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

const running = bridgeServer();

describe.each(examples)("%s", (name) => {
  const path = join(folder, name);

  it("applies by kubectl", () => {
    const environment = { ...process.env, KUBECONFIG: running.server.kubeconfigPath };
    const said = execFileSync(running.server.kubectlPath, ["apply", "-f", path], {
      env: environment,
      encoding: "utf8",
    });
    expect(said).toMatch(/llmbridge\.llmbridge\.dev\/\S+ (created|configured|unchanged)/);
  });

  it("is valid for lint", () => {
    expect(lintYaml(readFileSync(path, "utf8")).map(({ kind }) => kind)).toEqual(["valid"]);
  });
});

it("full.yaml names every part of the spec that a bridge of its own has, takeover.yaml the other", () => {
  const partsOf = (name: string) =>
    Object.keys((parse(readFileSync(join(folder, name), "utf8")) as { spec: object }).spec);
  const all = Object.keys(nodeAt(fieldSchema(), "spec").properties ?? {});
  expect(partsOf("full.yaml").sort()).toEqual(all.filter((part) => part !== "takeOver").sort());
  expect(partsOf("takeover.yaml")).toContain("takeOver");
});
