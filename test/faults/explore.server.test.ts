import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../load/random.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type Fault, PERTURBATIONS, type Run, run } from "./explore.ts";
import { type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { differences } from "./outcome.ts";

/** Points that are tried when not all of them are (`make explore`). */
const SAMPLE = 8;
const isFull = process.env.LLMBRIDGE_EXPLORE === "all";
/** The same sample each time, so that a change is judged by what it changes; other seeds and `make explore` look further. */
const seed = Number(process.env.LLMBRIDGE_SEED ?? 1);

let plane: ControlPlane;
let program: OperatorProgram;
let reference: Run;
beforeAll(async () => {
  [plane, program] = await Promise.all([startControlPlane(), operatorProgram()]);
  reference = await run(plane, program);
});
afterAll(async () => {
  await plane?.down();
  program?.remove();
});

/** Every write with every perturbation, or as many of them as a seed chooses. */
function faults(): Fault[] {
  const all = reference.writes.flatMap((_, write) =>
    PERTURBATIONS.map((perturbation) => ({ write, perturbation })),
  );
  if (isFull) return all;
  const random = seededRandom(seed);
  return Array.from({ length: SAMPLE }, () => all.splice(Math.floor(random() * all.length), 1)).flat();
}

async function differencesUnder(fault: Fault): Promise<string[]> {
  try {
    const { outcome, restarts, struck } = await run(plane, program, fault);
    const wanted = fault.perturbation === "Blinded" ? 0 : struck;
    return [
      ...differences(reference.outcome, outcome),
      ...(restarts === wanted
        ? []
        : [`the operator was started again ${restarts} times instead of ${wanted}`]),
    ];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Twenty seconds for each point on a slow machine, and as many points as there may be. */
const PATIENCE_MS = isFull ? 3_600_000 : 600_000;

describe("a rollout during which the operator is killed, shown the past or blinded", () => {
  it("comes to the same end each time, with each child made once and each decision told once", {
    timeout: PATIENCE_MS,
  }, async () => {
    expect(reference.restarts).toBe(0);
    console.log(
      `seed ${seed}; the reference writes ${reference.writes.length} times: ${reference.writes.join(", ")}`,
    );
    const wrong: string[] = [];
    for (const fault of faults()) {
      const name = `${fault.perturbation} at write ${fault.write} (${reference.writes[fault.write]})`;
      const found = await differencesUnder(fault);
      console.log(
        `${found.length === 0 ? "as the reference" : "NOT as the reference"}: ${[name, ...found].join("\n  ")}`,
      );
      if (found.length > 0) wrong.push([name, ...found].join("\n  "));
    }
    expect(wrong, `LLMBRIDGE_SEED=${seed} repeats it`).toEqual([]);
  });
});
