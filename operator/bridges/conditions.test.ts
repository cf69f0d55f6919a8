import { describe, expect, it } from "vitest";
import { nextConditions } from "./conditions.ts";

const at = (seconds: number) => Date.parse("2026-01-01T00:00:00Z") + seconds * 1000;
const ready = (status: "True" | "False", message = "m") => [
  { type: "Ready" as const, status, reason: "R", message },
];

describe("nextConditions", () => {
  it("keeps the time of the last flip while only the message changes", () => {
    const first = nextConditions([], ready("True"), 1, at(0));
    const second = nextConditions(first, ready("True", "other"), 2, at(60));
    expect(second).toEqual([{ ...first[0], message: "other", observedGeneration: 2 }]);
  });

  it("moves the time when the status flips", () => {
    const first = nextConditions([], ready("True"), 1, at(0));
    expect(nextConditions(first, ready("False"), 1, at(60))[0]?.lastTransitionTime).toBe(
      "2026-01-01T00:01:00Z",
    );
  });
});
