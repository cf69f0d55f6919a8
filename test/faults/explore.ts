import { setTimeout as delay } from "node:timers/promises";
import type { ServerProcess } from "../servers/process.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { OperatorProgram } from "./operator-process.ts";
import { differences, type Outcome, outcomeOf } from "./outcome.ts";
import { type FaultProxy, isOwnWrite, type ProxiedRequest, type Rule, startFaultProxy } from "./proxy.ts";
import { firstLooks, type KubeRequest } from "./request.ts";
import type { Story } from "./story.ts";
import { delayed, replayed, reset, type Strike } from "./strike.ts";

/**
 * What happens at one write of the operator, counted from 0 over the whole story (Sieve, OSDI 2022: intermediate states, stale states
 * and states that are never observed).
 */
export type Perturbation =
  /** The process dies, the write does not reach the server. */
  | "KilledBefore"
  /** The process dies when the server has carried the write out and before it learns of it. */
  | "KilledAfter"
  /** The same, and the next process is first shown what the first process saw at its start. */
  | "KilledIntoThePast"
  /** Nothing of what follows the write is seen for a while, and then only the last state of each object. */
  | "Blinded";

export const PERTURBATIONS: readonly Perturbation[] = [
  "KilledBefore",
  "KilledAfter",
  "KilledIntoThePast",
  "Blinded",
];

export interface Fault {
  readonly write: number;
  readonly perturbation: Perturbation;
}

export interface Run {
  readonly outcome: Outcome;
  /** The operator's writes in order of arrival, as `verb resource`. */
  readonly writes: readonly string[];
  /** How often the operator ended without being told or made to. */
  readonly ownEnds: number;
  /** How often the fault struck: not at all where this run came to its end with fewer writes. */
  readonly struck: number;
}

const BLIND_MS = 1_500;
const AT_REST_WITHIN_MS = 20_000;
let runs = 0;

/**
 * Plays a story in a namespace of its own, with an operator of its own behind a proxy of its own.
 * @param about what strikes; and the end that is waited for, a while, since the last word of the story is not the operator's last
 */
export async function run(
  plane: ControlPlane,
  program: OperatorProgram,
  story: Story,
  about: { readonly fault?: Fault; readonly wanted?: Outcome } = {},
): Promise<Run> {
  const { fault, wanted } = about;
  // Not only among this suite's: another one may have used the control plane.
  const namespace = `explored-${process.pid}-${runs++}`;
  await plane.api.request("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const proxy = await startFaultProxy(plane.server.kubeconfigPath);
  const operator = supervise(() =>
    program.start({ kubeconfigPath: proxy.kubeconfigPath, namespaces: [namespace] }),
  );
  try {
    await operator.started;
    const rule = fault && prepare(proxy, fault, operator);
    await story.play(plane.client, namespace);
    const outcome = await atRest(() => outcomeOf(plane.client, namespace, proxy.requests), wanted);
    return {
      outcome,
      writes: writesOf(proxy.requests),
      ownEnds: operator.ownEnds(),
      struck: rule?.struck ?? 0,
    };
  } finally {
    await operator.stop();
    await proxy.close();
    await plane.api.request("DELETE", `/api/v1/namespaces/${namespace}`);
  }
}

/** A process that was shown the past may say of it what was true then, until it has seen the rest. */
async function atRest(look: () => Promise<Outcome>, wanted: Outcome | undefined): Promise<Outcome> {
  const deadline = performance.now() + AT_REST_WITHIN_MS;
  for (;;) {
    const found = await look();
    const isOver = performance.now() > deadline;
    if (wanted === undefined || isOver || differences(wanted, found).length === 0) return found;
    await delay(200);
  }
}

const writesOf = (requests: readonly ProxiedRequest[]): string[] =>
  requests.filter(isOwnWrite).map(({ verb, resource }) => `${verb} ${resource}`);

function prepare(proxy: FaultProxy, { write, perturbation }: Fault, operator: Supervised): Rule {
  let seen = 0;
  const isTheOne = (request: ProxiedRequest) => isOwnWrite(request) && seen++ === write;
  const isWatch = ({ verb }: KubeRequest) => verb === "watch";
  const strikes: Record<Perturbation, { strike: Strike; onStruck: () => void }> = {
    KilledBefore: { strike: reset(), onStruck: operator.kill },
    KilledAfter: { strike: reset(true), onStruck: operator.kill },
    KilledIntoThePast: {
      strike: reset(true),
      onStruck() {
        operator.kill();
        proxy.when(firstLooks(), replayed());
      },
    },
    Blinded: {
      strike: delayed(0),
      onStruck() {
        const ice = proxy.freeze(isWatch);
        setTimeout(() => ice.thaw("Coalesced"), BLIND_MS);
      },
    },
  };
  const { strike, onStruck } = strikes[perturbation];
  return proxy.when(isTheOne, strike, { times: 1, onStruck });
}

interface Supervised {
  readonly started: Promise<unknown>;
  readonly kill: () => void;
  readonly ownEnds: () => number;
  readonly stop: () => Promise<void>;
}

/** Starts a process, and another each time that it ends, as kubelet does. */
function supervise(start: () => Promise<ServerProcess>): Supervised {
  let process: ServerProcess | undefined;
  const killed = new Set<ServerProcess>();
  let ownEnds = 0;
  let isOver = false;
  const { promise: started, resolve, reject } = Promise.withResolvers<void>();
  const running = (async () => {
    while (!isOver) {
      try {
        process = await start();
      } catch (error) {
        if (process === undefined) return reject(error);
        ownEnds++;
        continue;
      }
      resolve();
      // A story may end while a process that was killed is still being replaced.
      if (isOver) await process.stop();
      await process.exited;
      if (!isOver && !killed.has(process)) ownEnds++;
    }
  })();
  return {
    started,
    kill() {
      if (process === undefined) return;
      killed.add(process);
      process.signal("SIGKILL");
    },
    ownEnds: () => ownEnds,
    async stop() {
      isOver = true;
      await process?.stop();
      await running;
    },
  };
}
