import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveGatewayApi } from "../kube/gateway-api.ts";
import { seededRandom } from "../load/random.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { alone, type Cast, type Run, run, type Troupe } from "./explore.ts";
import { faultsOf, mayMiss, nameOf, sampleOf, shuffled } from "./exploring/faults.ts";
import { DEPOSITIONS, type Handover, two } from "./exploring/leaders.ts";
import { GATEWAY, TAKE_OVER } from "./exploring/stories.ts";
import { type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { outcomeDifferences } from "./outcome.ts";
import { IMAGES, SECRETS, type Story, TOGETHER } from "./story.ts";

/** Stories, and faults of each that are tried when not all of them are (`make explore`). */
const STORIES = [
  { title: "a rollout of images", story: IMAGES, sample: 8 },
  { title: "a rollout of what a Secret holds", story: SECRETS, sample: 2 },
  { title: "image and replicas in one edit, again and again", story: TOGETHER, sample: 3 },
  { title: "a rollout behind a gateway", story: GATEWAY, sample: 2 },
  { title: "a take-over", story: TAKE_OVER, sample: 2 },
];
/** Changes of the leader that are tried, in the story of images. */
const CHANGES_OF_LEADER = 2;
const isFull = process.env.LLMBRIDGE_EXPLORE === "all";
/** A larger sample than usual. */
const times = isFull ? 1 : Number(process.env.LLMBRIDGE_EXPLORE_TIMES ?? 1);
/** The same sample of the same trace, so that a change is judged by what it changes; a reference that took a write more or less has another. Other seeds and `make explore` look further. */
const seed = Number(process.env.LLMBRIDGE_SEED ?? 1);
/** Runs at once: most of the time each waits for servers and for its fault to pass. */
const LANES = 4;

/** By story: what every run is held against. */
const references = new Map<Story, Promise<Run>>();

/** Half a minute for each point on a slow machine, and as many points as there may be. */
const PATIENCE_MS = isFull ? 6 * 3_600_000 : 600_000 * times;

let plane: ControlPlane;
let program: OperatorProgram;
beforeAll(async () => {
  [plane, program] = await Promise.all([startControlPlane(), operatorProgram()]);
  await serveGatewayApi(plane.client);
  // All at once; a failure is told by the test that needs it.
  for (const { story } of STORIES) referenceOf(story).catch(() => undefined);
});
afterAll(async () => {
  await Promise.allSettled(references.values());
  await plane?.down();
  program?.remove();
});

interface Attempt {
  readonly name: string;
  readonly gather: (cast: Cast) => Promise<Troupe>;
}

const referenceOf = (story: Story): Promise<Run> => {
  const reference = references.get(story) ?? undisturbed(story);
  references.set(story, reference);
  return reference;
};

async function undisturbed(story: Story): Promise<Run> {
  const reference = await run(plane, program, story, undefined);
  expect(reference.ownEnds).toBe(0);
  expect(reference.broken).toEqual([]);
  const told = reference.trace.flatMap(({ kind, what }) => (kind === "News" ? [] : [`${kind} ${what}`]));
  console.log(`seed ${seed}; the reference, ${told.length} moments: ${told.join(", ")}`);
  return reference;
}

async function wrongWith(
  { gather }: Attempt,
  story: Story,
  reference: Run,
): Promise<{ wrong: string[]; isReached: boolean }> {
  try {
    const { outcome, broken, ownEnds, isReached } = await run(
      plane,
      program,
      story,
      reference.outcome,
      gather,
    );
    const ended = ownEnds === 0 ? [] : [`the operator ended ${ownEnds} times by itself`];
    return { wrong: [...outcomeDifferences(reference.outcome, outcome), ...broken, ...ended], isReached };
  } catch (error) {
    return { wrong: [error instanceof Error ? error.message : String(error)], isReached: true };
  }
}

/** Several at once; says of each what it came to. */
async function tryAll(
  attempts: readonly Attempt[],
  { story, reference, planned }: { readonly story: Story; readonly reference: Run; readonly planned: number },
): Promise<void> {
  console.log(`seed ${seed}: ${attempts.length} faults of ${planned}`);
  const left = [...attempts];
  const wrong: string[] = [];
  const missed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { wrong: found, isReached } = await wrongWith(next, story, reference);
      const verdict =
        found.length > 0 ? "NOT as the reference" : isReached ? "as the reference" : "not reached";
      const text = [next.name, ...found].join("\n  ");
      console.log(`${verdict}: ${text}`);
      if (found.length > 0) wrong.push(text);
      if (!isReached) missed.push(next.name);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  console.log(`${attempts.length - missed.length} of ${attempts.length} faults were reached`);
  expect(wrong, `LLMBRIDGE_SEED=${seed} repeats it`).toEqual([]);
  expect(
    missed.length,
    `too few faults were reached to tell much; not: ${missed.join(", ")}`,
  ).toBeLessThanOrEqual(mayMiss(attempts.length));
}

describe.each(STORIES)(
  "$title during which the operator is killed, shown the past or blinded",
  ({ story, sample }) => {
    it("comes to the same end each time, with each child made once, each decision told once and each promise kept", {
      timeout: PATIENCE_MS,
    }, async () => {
      const reference = await referenceOf(story);
      const all = faultsOf(reference.trace);
      const faults = isFull ? all : sampleOf(all, sample * times, seededRandom(seed));
      const attempts = faults.map((fault) => ({
        name: nameOf(fault, reference.trace),
        gather: (cast: Cast) => alone(cast, fault),
      }));
      await tryAll(attempts, { story, reference, planned: all.length });
    });
  },
);

describe("a rollout of images during which the leader of two operators changes", () => {
  it("comes to the same end, and no write of one falls into a term of the other", {
    timeout: PATIENCE_MS,
  }, async () => {
    const reference = await referenceOf(IMAGES);
    const writes = reference.trace.filter(({ kind }) => kind === "Write");
    const all = writes.flatMap((_, write) => DEPOSITIONS.map((how): Handover => ({ write, how })));
    const changes = isFull ? all : shuffled(all, seededRandom(seed)).slice(0, CHANGES_OF_LEADER * times);
    const attempts = changes.map((change) => ({
      name: `the leader ${change.how} at Write ${change.write} (${writes[change.write]?.what})`,
      gather: (cast: Cast) => two(cast, change),
    }));
    await tryAll(attempts, { story: IMAGES, reference, planned: all.length });
  });
});
