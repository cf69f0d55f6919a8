import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../load/random.ts";
import type { Bridge } from "../scene/api.ts";
import { type FaultProxy, isOwnWrite, type ProxiedRequest } from "./proxy.ts";
import { answer, conflict, delayed, reset, type Strike, tooManyRequests } from "./strike.ts";

/** Bad weather between an operator and its API server, to be met by one story. */
export interface Storm {
  readonly title: string;
  /** From before the operator's first request on. */
  begin?(proxy: FaultProxy): void;
  /** While the second version is held at its first step; the story goes on when it has ended. */
  whileHeld?(proxy: FaultProxy, bridge: Bridge): Promise<void>;
  /** Whatever is still to come of it does not. */
  end?(): void;
  /** How often it must have struck for the story to have met it. */
  readonly leastStruck: number;
  struck(): number;
  /** Whether it is longer than the lease, so that the operator ends and is started again. */
  readonly costsLease?: boolean;
}

const [THROTTLED_MS, AWAY_MS] = [20_000, 60_000];
const LEAST_CONFLICTS = 20;
/** Of edits that are waited for until there were so many; many times what a quiet machine needs. */
const CONFLICTS_WITHIN_MS = 120_000;

/** Somebody makes the bridge grow and shrink, and each time waits for every one of the pods. */
export async function resize(bridge: Bridge, replicas: number): Promise<void> {
  await bridge.patch({ replicas });
  const generation = (await bridge.get())?.metadata.generation;
  await bridge.waitFor(
    `of ${replicas} pods`,
    ({ observedGeneration, stable, canary }) =>
      observedGeneration === generation && stable?.ready === replicas && canary?.ready === replicas,
  );
}

/**
 * From the first write on, and then for as many edits as it takes to have struck often.
 * @param nowMs monotonic time
 */
export function conflicts(nowMs = () => performance.now()): Storm {
  let [writes, struck] = [0, 0];
  let end = (): void => undefined;
  return {
    title: "a conflict at every second write",
    begin(proxy) {
      const rule = proxy.when((request) => isOwnWrite(request) && writes++ % 2 === 0, conflict(), {
        onStruck: () => struck++,
      });
      end = () => rule.remove();
    },
    async whileHeld(_, bridge) {
      const deadlineMs = nowMs() + CONFLICTS_WITHIN_MS;
      const isOver = () => struck >= LEAST_CONFLICTS || nowMs() > deadlineMs;
      for (let replicas = 3; !isOver() || replicas === 2; replicas = 5 - replicas)
        await resize(bridge, replicas);
      end();
    },
    leastStruck: LEAST_CONFLICTS,
    struck: () => struck,
  };
}

/** Watches begin anew in it, and the story goes on. */
export function throttling(): Storm {
  let struck = 0;
  let over: NodeJS.Timeout | undefined;
  return {
    title: "429 with Retry-After on everything but leases",
    async whileHeld(proxy) {
      const isHeldBack = ({ resource }: ProxiedRequest) => resource !== "leases";
      const rule = proxy.when(isHeldBack, tooManyRequests(1), { onStruck: () => struck++ });
      proxy.cutAll();
      over = setTimeout(() => rule.remove(), THROTTLED_MS);
    },
    end: () => clearTimeout(over),
    leastStruck: 20,
    struck: () => struck,
  };
}

/** All through the story: of ten requests, of whatever kind, three fail in one of four ways. */
export function failures(seed: number): Storm {
  const strikes: readonly Strike[] = [answer(500), answer(503), reset(), reset(true)];
  const [random, share] = [seededRandom(seed), 0.3 / strikes.length];
  const drawn = new WeakMap<ProxiedRequest, number>();
  const draw = (request: ProxiedRequest): number => {
    const number = drawn.get(request) ?? Math.floor(random() / share);
    drawn.set(request, number);
    return number;
  };
  let struck = 0;
  return {
    title: `500, 503 and resets, seed ${seed}`,
    begin(proxy) {
      for (const [index, strike] of strikes.entries())
        proxy.when((request) => draw(request) === index, strike, { onStruck: () => struck++ });
    },
    leastStruck: 10,
    struck: () => struck,
  };
}

/** The story goes on in the middle of it. */
export function outage(): Storm {
  let struck = 0;
  let over: NodeJS.Timeout | undefined;
  return {
    title: "no connection for a minute",
    async whileHeld(proxy) {
      proxy.cutOff();
      struck++;
      over = setTimeout(() => void proxy.restore(), AWAY_MS);
      await delay(AWAY_MS / 2);
    },
    end: () => clearTimeout(over),
    leastStruck: 1,
    struck: () => struck,
    costsLease: true,
  };
}

export function latency(): Storm {
  let struck = 0;
  return {
    title: "300 ms more for every request",
    begin: (proxy) => void proxy.when(() => true, delayed(300), { onStruck: () => struck++ }),
    leastStruck: 50,
    struck: () => struck,
  };
}
