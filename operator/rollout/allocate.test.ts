import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { podsOfEach, replicasOf } from "./allocate.ts";
import { contextAt, minutes } from "./model/moment.ts";

type Around = Parameters<typeof contextAt>[1];
const B = "a-baseline";
const serving = { weight: 50, evidenceSince: minutes(0) };
const fresh = { baseline: "SameAge" as const };
const withFresh = { baseline: "SameAge" };
const of = (state: Partial<RolloutStatus>, more: Around = {}) => {
  const { stable, baseline, canary } = podsOfEach(contextAt(state, more));
  return [stable, baseline, canary];
};
type Row = [string, Partial<RolloutStatus>, Around, [stable: number, baseline: number, canary: number]];

describe("pods of a rollout at one moment", () => {
  it.each<Row>([
    ["a first version", { phase: "Pending" }, {}, [0, 0, 4]],
    ["a promoted version", { phase: "Promoting" }, {}, [4, 0, 0]],
    ["a version alone", { phase: "Stable" }, {}, [4, 0, 0]],
    ["nothing asked for", { phase: "Preparing" }, { needed: 0 }, [0, 0, 0]],
    ["nothing asked for while a canary serves", { phase: "Holding", ...serving }, { needed: 0 }, [0, 0, 0]],
  ])("%s", (_, state, more, pods) => {
    expect(of(state, more)).toEqual(pods);
  });

  const preparing = { phase: "Preparing", weight: 0 } as const;
  const dark = { phase: "Holding", weight: 0, stepName: "preview" } as const;
  const preview = { strategy: "BlueGreen" };
  it.each<Row>([
    ["gets all of the pods of its step", preparing, { pods: { b: 0 } }, [4, 0, 4]],
    ["gets what there is room for", preparing, { pods: { b: 0 }, maxPods: 6 }, [4, 0, 2]],
    [
      "gets no room of older pods that end",
      preparing,
      { pods: { b: 0, c: { terminating: 3 } }, maxPods: 8 },
      [4, 0, 1],
    ],
    [
      "gets no room of its own pods that end",
      preparing,
      { pods: { b: { terminating: 3 } }, maxPods: 8 },
      [4, 0, 1],
    ],
    [
      "gets no room that stable pods hold beyond those needed",
      preparing,
      { pods: { a: 6, b: 0 }, maxPods: 8 },
      [4, 0, 2],
    ],
    [
      "gets no room of stable pods that end",
      preparing,
      { pods: { a: { ready: 4, terminating: 2 }, b: 0 }, maxPods: 8 },
      [4, 0, 2],
    ],
    [
      "stays as it is in a pause, and so does the stable version",
      preparing,
      { pods: { a: 6, b: 1 }, plan: { paused: true } },
      [6, 0, 1],
    ],
    [
      "lets the stable version grow in a pause",
      preparing,
      { pods: { a: 2, b: 1 }, plan: { paused: true } },
      [4, 0, 1],
    ],
    [
      "with a baseline shares the room",
      { ...preparing, ...fresh },
      { pods: { b: 0 }, plan: withFresh, maxPods: 7 },
      [4, 1, 2],
    ],
    [
      "with a baseline has one pod each",
      { ...preparing, ...fresh },
      { pods: { b: 0 }, plan: withFresh, maxPods: 6 },
      [4, 1, 1],
    ],
    [
      "with a baseline goes first to a single place",
      { ...preparing, ...fresh },
      { pods: { b: 0 }, plan: withFresh, maxPods: 5 },
      [4, 0, 1],
    ],
    ["makes room for the stable version", preparing, { needed: 6, maxPods: 8 }, [4, 0, 2]],
    [
      "leaves the stable version the room that it has made",
      preparing,
      { needed: 6, maxPods: 8, pods: { b: 2 } },
      [6, 0, 2],
    ],
    [
      "makes room for the stable version in a pause",
      preparing,
      { needed: 6, maxPods: 8, plan: { paused: true } },
      [4, 0, 2],
    ],
    [
      "with a baseline makes room for the stable version",
      { ...preparing, ...fresh },
      { needed: 6, maxPods: 8, pods: { b: 2, "a-baseline": 2 }, plan: withFresh },
      [4, 1, 1],
    ],
    [
      "makes room for the stable version at a step of weight 0",
      dark,
      { needed: 6, maxPods: 9, plan: preview },
      [5, 0, 3],
    ],
    [
      "makes room for its baseline",
      { ...preparing, ...fresh },
      { pods: { b: 3 }, plan: withFresh, maxPods: 7 },
      [4, 0, 2],
    ],
    [
      "makes room for its baseline, which does not start while a pod ends",
      { ...preparing, ...fresh },
      { pods: { b: { ready: 2, terminating: 1 } }, plan: withFresh, maxPods: 7 },
      [4, 0, 2],
    ],
    [
      "makes room for its baseline, which starts when that is there",
      { ...preparing, ...fresh },
      { pods: { b: 2 }, plan: withFresh, maxPods: 7 },
      [4, 1, 2],
    ],
  ])("a canary before its traffic %s", (_, state, more, pods) => {
    expect(of(state, more)).toEqual(pods);
  });

  const holding = { phase: "Holding", ...serving } as const;
  it.each<Row>([
    ["keeps its pods", holding, {}, [4, 0, 4]],
    ["grows with what is needed", holding, { needed: 6 }, [6, 0, 6]],
    ["grows as far as there is room", holding, { needed: 6, maxPods: 9 }, [6, 0, 3]],
    ["shrinks with what is needed", holding, { needed: 2 }, [2, 0, 2]],
    [
      "shrinks only by what the others make up for",
      holding,
      { needed: 3, pods: { a: { ready: 0, unready: 4 } } },
      [3, 0, 3],
    ],
    [
      "has the stable version wait outside at 100%",
      { ...holding, stepName: "all", weight: 100 },
      {},
      [4, 0, 4],
    ],
    [
      "has no more stable pods wait than there is room for",
      { ...holding, stepName: "all", weight: 100 },
      { maxPods: 6 },
      [2, 0, 4],
    ],
    [
      "starts no stable pod to wait",
      { ...holding, stepName: "all", weight: 100 },
      { pods: { a: 1 } },
      [1, 0, 4],
    ],
  ])("a canary with traffic %s", (_, state, more, pods) => {
    expect(of(state, more)).toEqual(pods);
  });

  const stepping = { phase: "Stepping", ...serving } as const;
  it.each<Row>([
    ["grows before the stable version shrinks", stepping, { pods: { a: 6, b: 1 } }, [6, 0, 4]],
    ["lets the stable version shrink once it is there", stepping, { pods: { a: 6 } }, [4, 0, 4]],
    ["does nothing in a pause", stepping, { pods: { a: 6, b: 1 }, plan: { paused: true } }, [6, 0, 1]],
    [
      "makes up for itself in a pause",
      stepping,
      { pods: { a: 1, b: { ready: 1, unready: 1 } }, plan: { paused: true } },
      [3, 0, 2],
    ],
  ])("a canary on its way %s", (_, state, more, pods) => {
    expect(of(state, more)).toEqual(pods);
  });

  const aborting = { phase: "Aborting", ...serving, waitingSince: minutes(0) } as const;
  const few = { ready: 1, unready: 3 };
  it.each<Row>([
    ["gives its pods up once it is out", aborting, {}, [4, 0, 0]],
    ["keeps what stable pods do not make up for yet", aborting, { pods: { a: few } }, [4, 0, 3]],
    ["leaves room for the stable version to grow", aborting, { pods: { a: 1 }, maxPods: 6 }, [2, 0, 3]],
    [
      "keeps less where its baseline makes up for it",
      { ...aborting, ...fresh },
      { pods: { a: few, [B]: 2 }, plan: withFresh },
      [4, 2, 1],
    ],
    [
      "leaves its baseline in the place of stable pods",
      { ...aborting, ...fresh },
      { pods: { a: { ready: 2, unready: 2 }, b: 0, [B]: 3 }, plan: withFresh },
      [4, 2, 0],
    ],
    [
      "leaves a baseline, beside which stable pods grow as there is room",
      { ...aborting, ...fresh },
      { pods: { a: 2, b: 0, [B]: 2 }, plan: withFresh, maxPods: 5 },
      [3, 2, 0],
    ],
  ])("a canary that is withdrawn %s", (_, state, more, pods) => {
    expect(of(state, more)).toEqual(pods);
  });
});

describe("replicasOf", () => {
  const promoted = { stableRevision: "b", canaryRevision: undefined, previousRevision: "a" };
  it.each([
    ["none of history", { phase: "Stable", canaryRevision: undefined }, { pods: { b: 3 } }, { a: 4, b: 0 }],
    [
      "all that run while a promotion is not stored",
      { phase: "Promoting", ...promoted },
      { pods: { [B]: 2 } },
      { a: 4, b: 4, [B]: 0 },
    ],
    [
      "those kept of the version before",
      { phase: "Watching", ...promoted },
      { pods: { a: 2 } },
      { a: 2, b: 4 },
    ],
    ["none of it after the watch", { phase: "Draining", ...promoted }, { pods: { a: 2 } }, { a: 0, b: 4 }],
    ["no baseline where none is asked for", { phase: "Holding", ...serving }, {}, { a: 4, b: 4 }],
    [
      "a baseline that is not there yet",
      { phase: "Holding", ...serving, ...fresh },
      { plan: withFresh },
      { a: 4, [B]: 2, b: 4 },
    ],
    ["a baseline that goes", { phase: "Holding", ...serving }, { pods: { [B]: 2 } }, { a: 4, [B]: 0, b: 4 }],
  ] satisfies [string, Partial<RolloutStatus>, Around, object][])(
    "asks for %s",
    (_, state, more, replicas) => {
      expect(replicasOf(contextAt(state, more))).toEqual(replicas);
    },
  );
});
