import { describe, expect, it } from "vitest";
import { clause, full, tail } from "./sentence.ts";

describe("a sentence as part of another one", () => {
  it.each([
    ["The pod ended.", "The pod ended"],
    [" It waits... ", "It waits"],
    ["memory 1.5 GiB", "memory 1.5 GiB"],
    ["", ""],
  ])("%j is %j", (sentence, part) => {
    expect(clause(sentence)).toBe(part);
  });

  it.each([
    ["The pod ended.", "the pod ended"],
    ["All of The pods ended.", "all of The pods ended"],
    ["No pod is ready.", "no pod is ready"],
    ["Its pods ended.", "its pods ended"],
    ["Node refused its options.", "Node refused its options"],
    ["OOMKilled: The end.", "OOMKilled: The end"],
  ])("%j goes on behind a colon as %j", (sentence, part) => {
    expect(tail(sentence)).toBe(part);
  });

  it.each([
    ["the pod ended", "The pod ended."],
    ["the pod ended.", "The pod ended."],
  ])("%j stands alone as %j", (text, sentence) => {
    expect(full(text)).toBe(sentence);
  });
});
