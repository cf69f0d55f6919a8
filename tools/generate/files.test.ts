import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { chartCrd } from "./chart-crd.ts";
import { crdYaml } from "./crd-yaml.ts";
import { generatedFiles } from "./files.ts";

describe("the CRD as a file", () => {
  it("is small enough for client-side apply and YAML of one document", () => {
    expect(Buffer.byteLength(crdYaml())).toBeLessThan(200_000);
    expect(parse(crdYaml())).toMatchObject({ kind: "CustomResourceDefinition" });
  });

  it("becomes a template of the chart that can be left out and kept", () => {
    const template = chartCrd(crdYaml());
    expect(template.startsWith("{{- if .Values.crds.install }}\n")).toBe(true);
    expect(template).toContain(
      "{{- if .Values.crds.keep }}\n annotations:\n  helm.sh/resource-policy: keep\n",
    );
  });

  it("must not contain what Helm would read", () => {
    expect(() => chartCrd("metadata:\n  name: {{ x }}")).toThrow("Helm");
  });
});

it("generates the same bytes each time", () => {
  expect(generatedFiles()).toEqual(generatedFiles());
});
