import { describe, expect, it } from "vitest";
import { seededRandom } from "../../load/random.ts";
import { type Fault, faultsOf, mayMiss, nameOf, sampleOf } from "./faults.ts";
import type { Entry } from "./moments.ts";

const TRACE: readonly Entry[] = [
  { kind: "Act", what: "apply llmbridges" },
  { kind: "News", what: "llmbridges" },
  { kind: "Write", what: "patch services" },
  { kind: "Write", what: "patch deployments" },
  { kind: "News", what: "services" },
  { kind: "News", what: "deployments" },
  { kind: "News", what: "pods" },
  { kind: "Ready", what: "pod of a" },
];
const at = (faults: readonly Fault[], kind: string, index: number) =>
  faults.filter(({ moment }) => moment.kind === kind && moment.index === index);
const withheldAt = (faults: readonly Fault[], kind: string, index: number) => [
  ...new Set(
    at(faults, kind, index).flatMap(({ perturbation }) =>
      perturbation.kind === "Withheld" ? [perturbation.what] : [],
    ),
  ),
];

describe("the faults of a run", () => {
  const faults = faultsOf(TRACE);

  it("keep back the news that came before the next moment, alone and all at once", () => {
    expect(withheldAt(faults, "Act", 0)).toEqual(["llmbridges", "Everything"]);
    expect(withheldAt(faults, "Write", 1)).toEqual(["deployments", "services", "pods", "Everything"]);
  });

  it("keep nothing back where the next moment would keep back the same", () => {
    expect(withheldAt(faults, "Write", 0)).toEqual([]);
  });

  it("keep back the news of a pod itself", () => {
    expect(withheldAt(faults, "Ready", 0)).toEqual(["pods"]);
  });

  it("kill at each moment, and show the past of earlier writes only", () => {
    const shown = faults.flatMap(({ moment, perturbation }) =>
      perturbation.kind === "KilledIntoThePast" ? [[moment.index, perturbation.write]] : [],
    );
    expect(new Set(shown.map(String))).toEqual(new Set(["1,0"]));
    for (const [kind, index] of [
      ["Act", 0],
      ["Write", 0],
      ["Write", 1],
      ["Ready", 0],
    ] as const)
      expect(at(faults, kind, index).some(({ perturbation }) => perturbation.kind === "Killed")).toBe(true);
  });

  it("are named with what happened at their moment", () => {
    const [fault] = at(faults, "Write", 1);
    expect(fault && nameOf(fault, TRACE)).toBe("killed Before at Write 1 (patch deployments)");
  });
});

describe("a sample", () => {
  const faults = faultsOf(TRACE);

  it("has as many of each kind while there are any, and none twice", () => {
    const chosen = sampleOf(faults, 12, seededRandom(1));
    expect(new Set(chosen).size).toBe(12);
    expect(new Set(chosen.map(({ perturbation }) => perturbation.kind)).size).toBe(4);
  });

  it("is the same for the same seed, and all that there is where more is asked for", () => {
    expect(sampleOf(faults, 5, seededRandom(3))).toEqual(sampleOf(faults, 5, seededRandom(3)));
    expect(new Set(sampleOf(faults, 1_000, seededRandom(1)))).toEqual(new Set(faults));
  });
});

describe("faults that a run may miss", () => {
  it.each([
    [2, 1],
    [3, 1],
    [5, 1],
    [8, 1],
    [10, 2],
    [200, 40],
  ])("of %i are at most %i", (count, missed) => {
    expect(mayMiss(count)).toBe(missed);
  });
});
