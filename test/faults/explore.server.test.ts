import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../load/random.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type Fault, PERTURBATIONS, type Run, run } from "./explore.ts";
import { type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { differences } from "./outcome.ts";
import { IMAGES, SECRETS, type Story } from "./story.ts";

/** Stories, and points of each that are tried when not all of them are (`make explore`). */
const STORIES = [
  { ...IMAGES, sample: 6 },
  { ...SECRETS, sample: 3 },
];
const isFull = process.env.LLMBRIDGE_EXPLORE === "all";
/** The same sample each time, so that a change is judged by what it changes; other seeds and `make explore` look further. */
const seed = Number(process.env.LLMBRIDGE_SEED ?? 1);

let plane: ControlPlane;
let program: OperatorProgram;
beforeAll(async () => {
  [plane, program] = await Promise.all([startControlPlane(), operatorProgram()]);
});
afterAll(async () => {
  await plane?.down();
  program?.remove();
});

/** Every write with every perturbation, or as many of them as a seed chooses. */
function faults(reference: Run, sample: number): Fault[] {
  const all = reference.writes.flatMap((_, write) =>
    PERTURBATIONS.map((perturbation) => ({ write, perturbation })),
  );
  if (isFull) return all;
  const random = seededRandom(seed);
  return Array.from({ length: sample }, () => all.splice(Math.floor(random() * all.length), 1)).flat();
}

async function differencesUnder(
  fault: Fault,
  story: Story,
  reference: Run,
): Promise<{ wrong: string[]; isReached: boolean }> {
  try {
    const { outcome, ownEnds, struck } = await run(plane, program, story, {
      fault,
      wanted: reference.outcome,
    });
    const ended = ownEnds === 0 ? [] : [`the operator ended ${ownEnds} times by itself`];
    return { wrong: [...differences(reference.outcome, outcome), ...ended], isReached: struck > 0 };
  } catch (error) {
    return { wrong: [error instanceof Error ? error.message : String(error)], isReached: true };
  }
}

/** Twenty seconds for each point on a slow machine, and as many points as there may be. */
const PATIENCE_MS = isFull ? 3_600_000 : 600_000;

describe.each(STORIES)("$title during which the operator is killed, shown the past or blinded", (story) => {
  it("comes to the same end each time, with each child made once and each decision told once", {
    timeout: PATIENCE_MS,
  }, async () => {
    const reference = await run(plane, program, story);
    expect(reference.ownEnds).toBe(0);
    console.log(
      `seed ${seed}; the reference writes ${reference.writes.length} times: ${reference.writes.join(", ")}`,
    );
    const wrong: string[] = [];
    for (const fault of faults(reference, story.sample)) {
      const name = `${fault.perturbation} at write ${fault.write} (${reference.writes[fault.write]})`;
      const { wrong: found, isReached } = await differencesUnder(fault, story, reference);
      const verdict =
        found.length > 0 ? "NOT as the reference" : isReached ? "as the reference" : "not reached";
      const text = [name, ...found].join("\n  ");
      console.log(`${verdict}: ${text}`);
      if (found.length > 0) wrong.push(text);
    }
    expect(wrong, `LLMBRIDGE_SEED=${seed} repeats it`).toEqual([]);
  });
});
