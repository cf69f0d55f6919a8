import { setTimeout as delay } from "node:timers/promises";
import type { KubeObject } from "../../../operator/kube/object.ts";
import { resources } from "../../../operator/kube/resources.ts";
import { until } from "../../kube/until.ts";
import { startAudit } from "../../scene/audit.ts";
import { account } from "../account.ts";
import { type Cast, candidateOf, dismiss, type Troupe } from "../explore.ts";
import { isOwnWrite, type ProxiedRequest } from "../proxy.ts";
import { delayed } from "../strike.ts";
import { type Candidate, isWatchOf } from "./strikes.ts";
import { outsideOfTerms, termsIn } from "./terms.ts";

/** How the leader of two loses the Lease at one of its writes. */
export const DEPOSITIONS = [
  /** At once, with the write carried out: the other waits until the Lease runs out. */
  "Killed",
  /** In order, in the middle of the write: the other leads at once. */
  "Ended",
  /** The same, while the other sees nothing of what the first has written last. */
  "EndedUnseen",
  /** It stands still until the other leads, and then goes on where it was. */
  "Stalled",
  /** It reaches the API server no more until the other leads. */
  "CutOff",
] as const;
export type Deposition = (typeof DEPOSITIONS)[number];

export interface Handover {
  readonly write: number;
  readonly how: Deposition;
}

/** Longer than a Lease and what a watcher may add to it (operator/kube/lease.ts). */
const TAKEN_OVER_WITHIN_MS = 40_000;
/** How long the one that takes over is kept from what the one before it wrote last. */
const UNSEEN_MS = 1_500;

/** In their namespace; each is a user of its own, so that the API server's log tells them apart. */
const ANYTHING = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] as const;
const NAMES = ["first", "second"] as const;

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string };
}

/** Two operators under one Lease, of whom the first leads until it loses it. */
export async function two(cast: Cast, { write, how }: Handover): Promise<Troupe> {
  const { plane, namespace } = cast;
  const audit = startAudit(plane.server.auditLogPath);
  const leads = async (name: string): Promise<boolean> => {
    const [lease] = await plane.client.list<Lease>(resources.leases, { namespace });
    return lease?.spec.holderIdentity?.split("_")[0] === name;
  };
  const candidates: Candidate[] = [];
  try {
    for (const instance of NAMES) {
      const path = await account(plane, namespace, instance, ANYTHING);
      candidates.push(await candidateOf(cast, path, { leaderElection: true, instance }));
      await until("the first to lead", () => leads(NAMES[0]));
    }
  } catch (error) {
    await dismiss(candidates);
    throw error;
  }
  const [leader, other] = candidates as [Candidate, Candidate];
  let over: Promise<void> | undefined;
  let seen = 0;
  leader.proxy.when(
    (request: ProxiedRequest) => isOwnWrite(request) && seen++ === write,
    how === "Killed" ? { kind: "Reset", after: true } : delayed(how === "Stalled" ? 0 : 50),
    {
      times: 1,
      onStruck() {
        over = depose(leader, other, how, () =>
          until("the second to lead", () => leads(NAMES[1]), TAKEN_OVER_WITHIN_MS),
        );
        // Awaited where the story has ended.
        over.catch(() => undefined);
      },
    },
  );
  return {
    candidates,
    isReached: () => over !== undefined,
    over: async () => over,
    async wrong() {
      const own = (await audit.requests()).filter((request) => request.namespace === namespace);
      const led = new Set(termsIn(own).map(({ user }) => user));
      return [...outsideOfTerms(own), ...(over && led.size < 2 ? ["the second has never led"] : [])];
    },
  };
}

async function depose(
  { operator, proxy }: Candidate,
  other: Candidate,
  how: Deposition,
  isFollowed: () => Promise<unknown>,
): Promise<void> {
  switch (how) {
    case "Killed":
      operator.kill();
      await isFollowed();
      return;
    case "Ended":
      operator.end();
      await isFollowed();
      return;
    case "EndedUnseen": {
      const ice = other.proxy.freeze(isUnseen);
      operator.end();
      await isFollowed();
      await delay(UNSEEN_MS);
      ice.thaw();
      return;
    }
    case "Stalled":
      await operator.pause();
      await isFollowed();
      operator.resume();
      return;
    case "CutOff":
      operator.mayEnd();
      proxy.cutOff();
      await isFollowed();
      await proxy.restore();
  }
}

/** But of the Lease. */
const isUnseen: ReturnType<typeof isWatchOf> = (request) =>
  isWatchOf("Everything")(request) && request.resource !== "leases";
