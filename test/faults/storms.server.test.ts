import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed } from "./bed.ts";
import { atRest } from "./explore.ts";
import { type Outcome, outcomeDifferences, outcomeOf } from "./outcome.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { asksForState } from "./request.ts";
import { conflicts, failures, latency, outage, resize, type Storm, throttling } from "./storms.ts";
import { playStory } from "./story.ts";
import { supervise } from "./supervise.ts";

/**
 * For scenario 11, scenario 12 and scenario 13: the operator's process, its lease and a whole story. The storms come side by side, each over an operator and
 * a namespace of its own: most of their time they wait.
 */

/** The same storm each time, so that a change is judged by what it changes. */
const seed = Number(process.env.LLMBRIDGE_SEED ?? 1);

let bed: Bed;
let reference: Outcome;
beforeAll(async () => {
  bed = await openBed();
  reference = (await play()).outcome;
}, 600_000);
afterAll(async () => bed?.down());

interface Played {
  readonly outcome: Outcome;
  /** What it logged as errors. */
  readonly errors: readonly string[];
  readonly ownEnds: number;
  /** How often another holder took the lease. */
  readonly transitions: number;
  readonly requests: readonly ProxiedRequest[];
}

interface Lease extends KubeObject {
  readonly spec: { readonly leaseTransitions?: number };
}

async function play(storm?: Storm, wanted?: Outcome): Promise<Played> {
  const stage = await bed.stage({ leaderElection: true, isEmpty: true });
  const { namespace, proxy } = stage;
  const { client } = bed.plane;
  const errors: string[] = [];
  const onLine = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    if (level >= 50) errors.push(msg);
  };
  storm?.begin?.(proxy);
  const operator = supervise(() => stage.start({ onLine }));
  try {
    await operator.started;
    await playStory(client, namespace, async (bridge, version) => {
      if (version === 3) return;
      for (const replicas of [3, 2]) await resize(bridge, replicas);
      await storm?.whileHeld?.(proxy, bridge);
    });
    const outcome = await atRest(() => outcomeOf(client, namespace, proxy.requests), wanted);
    const [lease] = await stage.list<Lease>(resources.leases);
    const transitions = lease?.spec.leaseTransitions ?? 0;
    return { outcome, errors, ownEnds: operator.ownEnds(), transitions, requests: proxy.requests };
  } finally {
    storm?.end?.();
    await operator.stop();
    await stage.close();
  }
}

/** A list of one object is asked for what the server has reached, once in a term. */
const asksForVersion = ({ query }: ProxiedRequest): boolean => query.get("limit") === "1";

/** How often each collection was read from its beginning, by one who was answered. */
function lists(requests: readonly ProxiedRequest[]): Readonly<Record<string, number>> {
  const read = requests.filter(
    (request) => asksForState(request) && !asksForVersion(request) && request.code === 200,
  );
  const named = read.map(({ path, query }) => `${path} ${query.get("labelSelector") ?? ""}`);
  return Object.fromEntries(
    Object.entries(Object.groupBy(named, (one) => one)).map(([one, all]) => [one, all?.length ?? 0]),
  );
}

describe.concurrent("a rollout", () => {
  it.each([conflicts(), throttling(), failures(seed), outage(), latency()])(
    "under $title comes to the same end, with each child made once, each decision told once and nothing read twice",
    async (storm) => {
      const { outcome, errors, ownEnds, transitions, requests } = await play(storm, reference);
      const restarts = storm.costsLease ? 1 : 0;
      expect(outcomeDifferences(reference, outcome), `LLMBRIDGE_SEED=${seed} repeats it`).toEqual([]);
      expect(storm.struck()).toBeGreaterThanOrEqual(storm.leastStruck);
      expect(errors).toEqual(storm.costsLease ? ["leadership was lost"] : []);
      expect({ ownEnds, transitions }).toEqual({ ownEnds: restarts, transitions: restarts });
      const tooMany = Object.entries(lists(requests)).filter(([, times]) => times > 1 + restarts);
      expect(tooMany).toEqual([]);
    },
    900_000,
  );
});
