/** What a fault does, and the names it goes by. */

import type { Entry, Kind, Moment } from "./moments.ts";

/** Resources of which the news can be kept back alone, so that caches are of different ages; Everything: of all at once. */
export const WITHHELD = [
  "llmbridges",
  "deployments",
  "services",
  "configmaps",
  "pods",
  "httproutes",
  "Everything",
] as const;
export type Withheld = (typeof WITHHELD)[number];

/** Whose state a process that starts is shown as it was, while the rest is current. */
export const SHOWN = ["Everything", "Children", "Pods"] as const;
export type Shown = (typeof SHOWN)[number];

/** Sieve (OSDI 2022): intermediate states, stale states, and states that are never observed. */
export type Perturbation =
  /**
   * The process dies, and another starts. Before: what it was writing does not reach the server. After: the server carries it out, and nobody tells
   * the process. Elsewhere than at a write there is no difference.
   */
  | { readonly kind: "Killed"; readonly when: "Before" | "After" }
  /** The same after the write, and the next process is first shown what the first process saw at its start. */
  | { readonly kind: "KilledIntoTheBeginning" }
  /** The same, and the next process is shown what there was at an earlier write, counted like this one, and for a while nothing newer. */
  | { readonly kind: "KilledIntoThePast"; readonly shown: Shown; readonly write: number }
  /**
   * Nothing of what follows is seen for a while. Coalesced: and then only the last state of each object. Lost: never; the watch goes on with what
   * comes later, until the server says that its history is gone.
   */
  | {
      readonly kind: "Withheld";
      readonly what: Withheld;
      readonly forMs: number;
      readonly then: "Coalesced" | "Lost";
    };

export interface Fault {
  readonly moment: Moment;
  readonly perturbation: Perturbation;
}

/** Shorter and longer than an own write is waited for before decisions go on without it (operator/kube/own-writes.ts). */
export const WITHHELD_MS = [1_500, 6_000] as const;
const ENDINGS = ["Coalesced", "Lost"] as const;

export const nameOf = ({ moment, perturbation }: Fault, trace: readonly Entry[]): string => {
  const { kind, index } = moment;
  const what = trace.filter((entry) => entry.kind === kind)[index]?.what;
  return `${perturbationName(perturbation)} at ${kind} ${index} (${what})`;
};

function perturbationName(perturbation: Perturbation): string {
  switch (perturbation.kind) {
    case "Killed":
      return `killed ${perturbation.when}`;
    case "KilledIntoTheBeginning":
      return "killed and shown the beginning";
    case "KilledIntoThePast":
      return `killed and shown ${perturbation.shown} of Write ${perturbation.write}`;
    case "Withheld":
      return `kept from ${perturbation.what} for ${perturbation.forMs} ms, then ${perturbation.then},`;
  }
}

/** What kinds of faults there are, so that a sample has some of each. */
function family({ perturbation }: Fault): string {
  switch (perturbation.kind) {
    case "Killed":
      return `Killed ${perturbation.when}`;
    case "KilledIntoThePast":
      return `Past ${perturbation.shown}`;
    case "Withheld":
      return `Withheld ${perturbation.what} ${perturbation.then}`;
    case "KilledIntoTheBeginning":
      return perturbation.kind;
  }
}

interface Placed {
  readonly moment: Moment;
  /** Resources of which there was news before the next moment. */
  readonly news: ReadonlySet<string>;
}

/** The moments of a run with what could be kept back from there on and not also from the next one on. */
function placed(trace: readonly Entry[]): Placed[] {
  const counts: Record<Kind, number> = { Write: 0, Act: 0, Ready: 0 };
  const found: { moment: Moment; news: Set<string> }[] = [];
  for (const { kind, what } of trace) {
    if (kind === "News") found.at(-1)?.news.add(what);
    else found.push({ moment: { kind, index: counts[kind]++ }, news: new Set() });
  }
  return found;
}

/** Every fault that can matter in a run that went like this one. */
export function faultsOf(trace: readonly Entry[]): Fault[] {
  return placed(trace).flatMap(({ moment, news }) => [
    ...killed(moment).map((perturbation) => ({ moment, perturbation })),
    ...withheld(moment, news).map((perturbation) => ({ moment, perturbation })),
  ]);
}

function killed({ kind, index }: Moment): Perturbation[] {
  if (kind !== "Write") return [{ kind: "Killed", when: "Before" }];
  const earlier = index === 0 ? [] : [...new Set([index - 1, Math.floor(index / 2)])];
  return [
    { kind: "Killed", when: "Before" },
    { kind: "Killed", when: "After" },
    { kind: "KilledIntoTheBeginning" },
    ...earlier.flatMap((write) =>
      SHOWN.map((shown): Perturbation => ({ kind: "KilledIntoThePast", shown, write })),
    ),
  ];
}

/** A pod's news is what its moment is of; of what follows only so long a silence tells. */
function withheld({ kind }: Moment, news: ReadonlySet<string>): Perturbation[] {
  const matters = (what: Withheld): boolean =>
    what === "Everything" ? news.size > 0 : news.has(what) || (kind === "Ready" && what === "pods");
  return WITHHELD.filter(matters).flatMap((what) =>
    WITHHELD_MS.flatMap((forMs) =>
      ENDINGS.map((then): Perturbation => ({ kind: "Withheld", what, forMs, then })),
    ),
  );
}

/** So many of them, chosen by chance, and of each kind as many as of any other while there are any. */
export function sampleOf(faults: readonly Fault[], count: number, random: () => number): Fault[] {
  const families = Object.values(Object.groupBy(faults, family)).map((members = []) =>
    shuffled(members, random),
  );
  const turns = shuffled(families, random);
  const chosen: Fault[] = [];
  for (let turn = 0; chosen.length < Math.min(count, faults.length); turn++) {
    const next = turns[turn % turns.length]?.pop();
    if (next) chosen.push(next);
  }
  return chosen;
}

/**
 * Of so many faults, how many may strike nothing: a fifth, and one in any case. A run that needs fewer writes than the reference, where one status says
 * what two did, ends before the last of the reference's moments.
 */
export const mayMiss = (count: number): number => Math.max(1, Math.floor(count / 5));

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const left = [...list];
  return Array.from({ length: left.length }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}
