import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ClusterState, readState, writeState } from "./state.ts";

let root: string;
let work: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llmbridge-state-"));
  work = join(root, "cluster");
  mkdirSync(work);
});
afterEach(() => rmSync(root, { recursive: true }));

describe("the state file", () => {
  const process = { pid: 7, startTicks: 9 };
  const state: ClusterState = {
    inputs: "abc",
    startedAtMs: 1,
    node: process,
    running: { etcd: { component: { name: "etcd", argv: ["kubestack", "etcd"], place: "Host" }, process } },
    stopped: [],
  };

  it("comes back as it was written", () => {
    expect(readState(work)).toBeUndefined();
    writeState(work, state);
    expect(readState(work)).toEqual(state);
  });

  it("counts as none when it is of another shape", () => {
    writeFileSync(join(work, "state.json"), '{ "node": 3 }');
    expect(readState(work)).toBeUndefined();
  });
});
