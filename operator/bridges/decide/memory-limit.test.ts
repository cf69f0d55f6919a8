import { describe, expect, it } from "vitest";
import type { ChildObject } from "../plan.ts";
import { memoryLimitBytes } from "./memory-limit.ts";

const spec = {
  resources: { requests: { cpu: "1", memory: "512Mi" }, limits: { cpu: "1", memory: "512Mi" } },
};
const rendered = (memory: string) =>
  ({
    spec: { template: { spec: { containers: [{ resources: { limits: { memory } } }] } } },
  }) as unknown as ChildObject;

describe("the memory limit of a revision's pods", () => {
  it("is the one that they run with, whatever the spec says by now", () => {
    expect(memoryLimitBytes({ rendered: rendered("1Gi") }, spec)).toBe(2 ** 30);
  });

  it.each([
    ["nothing is stored", undefined],
    ["what is stored cannot be read", { rendered: undefined }],
  ])("is the spec's where %s", (_, stored) => {
    expect(memoryLimitBytes(stored, spec)).toBe(2 ** 29);
  });
});
