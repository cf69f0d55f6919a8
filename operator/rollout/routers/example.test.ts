import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { balancer } from "./testing/balancer.ts";
import { keepsItsPromises } from "./testing/promises.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("the example of a router of one's own", () => {
  it("is in the docs as it is compiled and tried here", () => {
    const [, code] = /```ts\n([^`]+)```/.exec(read("docs/concepts/traffic.md")) ?? [];
    expect(code).toBe(read("operator/rollout/routers/testing/balancer.ts"));
  });

  keepsItsPromises("Gateway", balancer);
});
