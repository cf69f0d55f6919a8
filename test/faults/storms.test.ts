import { expect, it } from "vitest";
import type { Bridge } from "../scene/api.ts";
import type { FaultProxy, ProxiedRequest, RuleOptions } from "./proxy.ts";
import { conflicts } from "./storms.ts";

const WRITE = {
  ...{ verb: "patch", resource: "deployments", userAgent: "llmbridge-operator/test" },
} as ProxiedRequest;

/** A storm over an operator that begins late, and then answers each edit with two writes that take so long. */
async function overASlowOne({ startMs, editMs }: { readonly startMs: number; readonly editMs: number }) {
  let nowMs = 0;
  const storm = conflicts(() => nowMs);
  const edits: unknown[] = [];
  let write = (): void => undefined;
  const proxy: Pick<FaultProxy, "when"> = {
    when(matches, _, { onStruck }: RuleOptions = {}) {
      write = () => void (matches(WRITE) && onStruck?.(WRITE));
      return { struck: 0, remove: () => undefined };
    },
  };
  const bridge = {
    async patch({ replicas }: { readonly replicas: number }) {
      edits.push(replicas);
      for (const _ of [1, 2]) write();
      nowMs += editMs;
    },
    get: async () => undefined,
    waitFor: async () => undefined,
  };
  storm.begin?.(proxy as FaultProxy);
  nowMs += startMs;
  await storm.whileHeld?.(proxy as FaultProxy, bridge as unknown as Bridge);
  return { storm, edits };
}

it("a storm of conflicts lasts until it has struck often enough, however late the operator started", async () => {
  const { storm, edits } = await overASlowOne({ startMs: 60_000, editMs: 5_000 });
  expect(storm.struck()).toBe(storm.leastStruck);
  expect(edits.at(-1)).toBe(2);
});

it("a storm of conflicts ends in time where there is little to strike, and leaves the bridge as it was", async () => {
  const { storm, edits } = await overASlowOne({ startMs: 0, editMs: 30_000 });
  expect(storm.struck()).toBeLessThan(storm.leastStruck);
  expect(edits).toEqual([3, 2, 3, 2, 3, 2]);
});
