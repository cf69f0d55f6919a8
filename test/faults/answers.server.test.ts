import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../kube/until.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { differences, type Outcome, outcomeOf } from "./outcome.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { asksForState } from "./request.ts";
import { playStory } from "./story.ts";
import { body, invalid } from "./strike.ts";

/** scenario 34: a proxy in front of the API server that answers 200 with what is no answer: a page to log in at, an answer that was cut, nothing. */

let bed: Bed;
let reference: Outcome;
beforeAll(async () => {
  bed = await openBed();
  const { stage, outcome } = await played();
  reference = await outcome();
  expect(await stage.end()).toBe(0);
  await stage.close();
}, 120_000);
afterAll(async () => bed?.down());

/** Plays the story to its end, with one process that is not replaced. */
async function played(prepare: (stage: Stage) => void = () => {}) {
  const stage = await bed.stage({ leaderElection: true, isEmpty: true });
  prepare(stage);
  await stage.start();
  await playStory(bed.plane.client, stage.namespace);
  const outcome = () => outcomeOf(bed.plane.client, stage.namespace, stage.proxy.requests);
  return { stage, outcome };
}

/** Matches every `every`th request of each verb and resource, from this one on, and remembers which. */
function turns(every: number, from: number, struck: Set<string>) {
  const counts = new Map<string, number>();
  return (request: ProxiedRequest): boolean => {
    const what = `${request.verb} ${request.resource}`;
    const count = counts.get(what) ?? 0;
    counts.set(what, count + 1);
    const isTurn = count % every === from;
    if (isTurn) struck.add(what);
    return isTurn;
  };
}

/** Those on which the operator rests; Events and what it asks besides are struck too. */
const READS = ["get llmbridges", "list deployments", "list configmaps", "watch llmbridges", "watch pods"];
const WRITES = ["patch configmaps", "patch deployments", "patch services", "patch llmbridges/status"];
const ELECTION = ["create leases", "patch leases", "watch leases"];

it.each([
  ["an object without anything in it", "{}"],
  ["nothing", "null"],
  ["a page", "<html><body>Please log in</body></html>"],
  ["half a JSON", '{"kind":"Status","metadata":{"name":"to'],
])(
  "scenario 34: gets over answers of success that hold %s, in one process, to the same end",
  async (_, text) => {
    const struck = new Set<string>();
    const { stage, outcome } = await played(({ proxy }) => {
      // These are then read by pages.
      const isByPages = ({ resource }: ProxiedRequest) => ["configmaps", "deployments"].includes(resource);
      proxy.when(
        (request) => request.verb === "watch" && asksForState(request) && isByPages(request),
        invalid(),
      );
      proxy.when(turns(3, 0, struck), body(text));
      // In the middle of a watch, and when the server has carried a write out.
      proxy.when(turns(4, 1, struck), body(text, { after: true, afterEvents: 1 }));
    });
    let different: string[] = [];
    await until("the end of the reference", async () => {
      different = differences(reference, await outcome());
      return different.length === 0;
    }).catch(() => expect(different).toEqual([]));
    expect([...struck]).toEqual(expect.arrayContaining([...READS, ...WRITES, ...ELECTION]));
    // The process that was started first, since nothing starts another.
    expect(await stage.end()).toBe(0);
    await stage.close();
  },
  180_000,
);
