import { describe, expect, it } from "vitest";
import {
  type GatePod,
  isFinished,
  isStarting,
  jobAnswer,
  lastWords,
  type RawJob,
  slimJob,
} from "./gate-job.ts";

const job = (conditions: object[], ready = 0): RawJob =>
  ({ metadata: { name: "chat-smoke-1" }, status: { ready, conditions } }) as unknown as RawJob;
const condition = (type: string, reason = "", status = "True") => ({ type, status, reason });
const ended = (exitCode: number, more: object = {}) => ({ terminated: { exitCode, ...more } });
const podOf = (
  state: object,
  creationTimestamp = "2026-01-01T00:00:00Z",
  conditions: object[] = [],
): GatePod =>
  ({
    metadata: { name: "p", creationTimestamp },
    status: { conditions, containerStatuses: [{ state }] },
  }) as unknown as GatePod;

describe("jobAnswer", () => {
  it.each([
    [
      "succeeded",
      job([condition("Complete")]),
      { kind: "Passed", message: "Job chat-smoke-1 succeeded: so" },
    ],
    [
      "failed",
      job([condition("Failed", "BackoffLimitExceeded")]),
      { kind: "Failed", message: "Job chat-smoke-1 failed: so" },
    ],
    [
      "ran out of time",
      job([condition("Failed", "DeadlineExceeded")]),
      { kind: "NoData", message: "Job chat-smoke-1 did not end by its deadline: so" },
    ],
    [
      "is about to fail",
      job([condition("FailureTarget", "BackoffLimitExceeded")], 1),
      { kind: "Waiting", message: "Job chat-smoke-1 runs: so" },
    ],
    [
      "is not failed",
      job([condition("Failed", "", "False")], 1),
      { kind: "Waiting", message: "Job chat-smoke-1 runs: so" },
    ],
    ["waits", job([]), { kind: "Waiting", message: "Job chat-smoke-1 has not started yet: so" }],
  ])("of one that %s", (_, found, answer) => {
    expect(jobAnswer(found, "so")).toEqual(answer);
    expect(isFinished(found)).toBe(answer.kind !== "Waiting");
    expect(isStarting(found)).toBe(answer.message.includes("has not started"));
  });
});

describe("lastWords", () => {
  it.each([
    ["nothing without a pod", [], ""],
    ["the last line of what it left", [podOf(ended(0, { message: "a\nscore 0.97\n" }))], "score 0.97"],
    ["how it ended", [podOf(ended(3, { reason: "Error", message: "worse" }))], "exit code 3, worse"],
    ["why it was killed", [podOf(ended(137, { reason: "OOMKilled" }))], "exit code 137 (OOMKilled)"],
    [
      "why it does not start",
      [podOf({ waiting: { reason: "ErrImagePull", message: "not\nfound" } })],
      "ErrImagePull, not found",
    ],
    ["nothing of what is being made", [podOf({ waiting: { reason: "ContainerCreating" } })], ""],
    [
      "why it has no place",
      [podOf({}, undefined, [{ type: "PodScheduled", status: "False", message: "0/3 nodes" }])],
      "0/3 nodes",
    ],
    [
      "those of the newest pod",
      [podOf(ended(0, { message: "new" }), "2026-01-02T00:00:00Z"), podOf(ended(1, { message: "old" }))],
      "new",
    ],
  ])("are %s", (_, pods, words) => {
    expect(lastWords(pods)).toBe(words);
  });
});

describe("slimJob", () => {
  it("keeps what decisions rest on", () => {
    const whole = { ...job([condition("Complete")]), spec: { template: { large: true } } };
    expect(slimJob(whole as unknown as RawJob)).toEqual({
      apiVersion: undefined,
      kind: undefined,
      metadata: { name: "chat-smoke-1" },
      status: { ready: 0, conditions: [condition("Complete")] },
    });
  });
});
