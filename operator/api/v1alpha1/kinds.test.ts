import { describe, expect, it } from "vitest";
import { KINDS, type KindName } from "./kinds.ts";

const takes = (kind: KindName, text: string): boolean => new RegExp(KINDS[kind].pattern).test(text);

describe("quantities", () => {
  it.each([
    ["bytes", ["1", "512Mi", "1.5Gi", "0.5Gi", "0.25Ti", "0.05G", "0.001Gi"]],
    ["cpu", ["1", "0.5", "0.50", "0.10", "0.001", "0.015", "1.25", "500m"]],
  ] as const)("of %s are taken as Kubernetes takes them", (kind, texts) => {
    expect(texts.filter((text) => !takes(kind, text))).toEqual([]);
  });

  it.each([
    ["bytes", ["0", "0.5", "0.0Gi", "0.000Gi", "0.5Ki", "0.1234Gi", ".5Gi", "1gb"]],
    ["cpu", ["0", "0.0", "0.000", "0.0001", ".5", "0m", "1 core"]],
  ] as const)("of %s that are nothing, or not one of its units, are refused", (kind, texts) => {
    expect(texts.filter((text) => takes(kind, text))).toEqual([]);
  });
});
