import { setTimeout as delay } from "node:timers/promises";
import { type FaultProxy, isOwnWrite, type ProxiedRequest } from "../proxy.ts";
import { asksForState, firstLooks, isWrite, type KubeRequest } from "../request.ts";
import { delayed, replayed, reset, shownAsOf } from "../strike.ts";
import type { Supervised } from "../supervise.ts";
import type { Fault, Perturbation, Shown, Withheld } from "./faults.ts";
import type { Moments } from "./moments.ts";

/** An operator and the line it has to the API server. */
export interface Candidate {
  readonly proxy: FaultProxy;
  readonly operator: Supervised;
}

export interface Armed {
  /** Whether it struck, with everything that belongs to it. */
  readonly isReached: () => boolean;
  /** Ends when nothing of it is in force any more; at once where it never struck. */
  over(): Promise<void>;
}

/** How long a process that was shown the past sees nothing newer of it. */
const IN_THE_PAST_MS = 1_500;
/** How long a watch that has lost events goes on without them, until it is told that its history is gone. */
const UNAWARE_MS = 3_000;

/** Has a fault strike when its moment comes. */
export function arm(candidate: Candidate, { moment, perturbation }: Fault, moments: Moments): Armed {
  const { proxy, operator } = candidate;
  const strike = strikeOf(candidate, perturbation);
  let struck: ReturnType<typeof strike.begin> | undefined;
  const begin = (): void => {
    struck = strike.begin();
  };
  if (moment.kind === "Write") {
    let seen = 0;
    const isTheOne = (request: ProxiedRequest) => isOwnWrite(request) && seen++ === moment.index;
    const what = { Before: reset(), After: reset(true), Passed: delayed(0) }[strike.write];
    proxy.when(isTheOne, what, { times: 1, onStruck: begin });
  } else {
    moments.at(moment, begin);
  }
  return {
    isReached: () => struck?.isWhole() ?? false,
    async over() {
      await struck?.over;
    },
  };

  function strikeOf(of: Candidate, what: Perturbation): StrikeKind {
    switch (what.kind) {
      case "Killed":
        return { write: what.when, begin: () => kill() };
      case "KilledIntoTheBeginning":
        return {
          write: "After",
          begin() {
            const first = proxy.when(firstLooks(), replayed());
            return { ...kill(), isWhole: () => first.struck > 0 };
          },
        };
      case "KilledIntoThePast":
        return { write: "After", begin: () => intoThePast(of, what.shown, what.write) };
      case "Withheld":
        return { write: "Passed", begin: () => withhold(of.proxy, what) };
    }
  }

  function kill(): Struck {
    operator.kill();
    return { isWhole: () => true, over: Promise.resolve() };
  }
}

interface Struck {
  readonly isWhole: () => boolean;
  readonly over: Promise<void>;
}

interface StrikeKind {
  /** What becomes of a write that it strikes at. */
  readonly write: "Before" | "After" | "Passed";
  readonly begin: () => Struck;
}

const isShown =
  (shown: Shown) =>
  ({ resource }: KubeRequest): boolean =>
    shown === "Everything" || (shown === "Pods" ? resource === "pods" : resource !== "llmbridges");

/** The next process lists these resources as they were, and its watches of them bring nothing for a while. */
function intoThePast({ proxy, operator }: Candidate, shown: Shown, write: number): Struck {
  const version = versionAt(proxy.requests, write);
  const concerns = isShown(shown);
  const isOld = (request: KubeRequest) => asksForState(request) && concerns(request);
  operator.kill();
  if (version === undefined) return { isWhole: () => false, over: Promise.resolve() };
  const looks = proxy.when(isOld, shownAsOf(version));
  const ice = proxy.freeze((request) => request.verb === "watch" && concerns(request));
  const isListed = () => proxy.requests.some(({ query }) => query.get("resourceVersion") === version);
  const over = (async () => {
    const patience = AbortSignal.timeout(30_000);
    while (!patience.aborted && !isListed()) await delay(20);
    await delay(IN_THE_PAST_MS);
    looks.remove();
    ice.thaw();
  })();
  return { isWhole: isListed, over };
}

/** The version that the write of this number left, or the one before it where it was refused. */
function versionAt(requests: readonly ProxiedRequest[], write: number): string | undefined {
  const versions = requests.filter(isOwnWrite).slice(0, write + 1);
  return versions.findLast((request) => isWrite(request) && request.resourceVersion)?.resourceVersion;
}

function withhold(
  proxy: FaultProxy,
  { what, forMs, then }: Extract<Perturbation, { kind: "Withheld" }>,
): Struck {
  const concerns = isWatchOf(what);
  const ice = proxy.freeze(concerns);
  const over = (async () => {
    await delay(forMs);
    ice.thaw(then === "Lost" ? "Nothing" : "Coalesced");
    if (then === "Coalesced") return;
    await delay(UNAWARE_MS);
    proxy.expire(concerns);
  })();
  return { isWhole: () => true, over };
}

export const isWatchOf =
  (what: Withheld) =>
  ({ verb, resource }: KubeRequest): boolean =>
    verb === "watch" && (what === "Everything" || resource === what);
