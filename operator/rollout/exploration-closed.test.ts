import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EVENTS, type Event } from "./model/events.ts";
import { explore } from "./model/explore.ts";
import { PAGE, publisher } from "./model/published.ts";
import { boundOf, small, withPlan } from "./model/small.ts";
import type { World } from "./model/world.ts";

const publish = publisher(readFileSync(PAGE, "utf8"), Number.POSITIVE_INFINITY);

const some = (names: readonly string[]): Record<string, Event> =>
  Object.fromEntries(Object.entries(EVENTS).filter(([name]) => names.includes(name)));

const COURSE = ["pass", "tick", "gateway", "below", "worse", "ready a", "ready b", "spec a", "spec b"];
const PEOPLE = [...COURSE, "abort", "promote", "pause", "resume"];
const pods = (count: number) => small(count, [50, 100]);
const routed = (weights: number[]) => small(2, weights, {}, "Gateway");
const blueGreen = { strategy: "BlueGreen" } as const;
const immediate = { strategy: "Immediate" } as const;

/** More than any row has: one that finds more is to get fewer events, or it takes too long. */
const MOST = 10_000;

describe("of a small bridge with few events every world there is keeps the promises, and an abort ends from it", () => {
  it.each<[string, World, readonly string[]]>([
    ["Canary by pods, two of them: people and a crash", pods(2), [...PEOPLE, "crash b"]],
    ["Canary by pods, two of them: readiness that is lost", pods(2), [...COURSE, "unready b"]],
    [
      "Canary by pods, two of them: a source that fails",
      pods(2),
      [...COURSE, "sourceFails", "sourceAnswers"],
    ],
    ["Canary by pods, three of them: people", pods(3), PEOPLE],
    ["BlueGreen by pods: people and a crash", withPlan(small(2, [100]), blueGreen), [...PEOPLE, "crash b"]],
    ["Immediate by pods: people and a crash", withPlan(small(2, [100]), immediate), [...PEOPLE, "crash b"]],
    ["Canary by a gateway: an abort", routed([50, 100]), [...COURSE, "abort"]],
    ["BlueGreen by a gateway: an abort", withPlan(routed([100]), blueGreen), [...COURSE, "abort"]],
    ["Immediate by a gateway: an abort", withPlan(routed([100]), immediate), [...COURSE, "abort"]],
  ])("%s", (name, world, events) => {
    const found = explore([world], { bound: MOST, events: some(events) });
    expect(found.closed, `${found.worlds} worlds and more`).toBe(true);
    for (const phase of ["Preparing", "Aborting", "Aborted", "Draining"])
      expect(found.phases).toHaveProperty(phase);
    publish(name, found);
  });
});

describe("EXPLORE_WORLDS", () => {
  it.each([
    ["500", 500],
    ["0", Number.POSITIVE_INFINITY],
    ["all", Number.POSITIVE_INFINITY],
    [undefined, 1200],
  ])("%s is a bound", (asked, bound) => {
    expect(boundOf(asked)).toBe(bound);
  });

  it("says what it cannot read", () => {
    expect(() => boundOf("many")).toThrow("EXPLORE_WORLDS is many, not a number or all");
  });
});
