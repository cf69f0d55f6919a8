import type { ServerProcess } from "../servers/process.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { OperatorProgram } from "./operator-process.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { type FaultProxy, isOwnWrite, type ProxiedRequest, type Rule, startFaultProxy } from "./proxy.ts";
import { firstLooks, type KubeRequest } from "./request.ts";
import { playStory } from "./story.ts";
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
let runs = 0;

/** Plays the story in a namespace of its own, with an operator of its own behind a proxy of its own. */
export async function run(plane: ControlPlane, program: OperatorProgram, fault?: Fault): Promise<Run> {
  const namespace = `explored-${runs++}`;
  await plane.api.request("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const proxy = await startFaultProxy(plane.server.kubeconfigPath);
  const operator = supervise(() =>
    program.start({ kubeconfigPath: proxy.kubeconfigPath, namespaces: [namespace] }),
  );
  try {
    await operator.started;
    const rule = fault && prepare(proxy, fault, operator);
    await playStory(plane.client, namespace);
    const outcome = await outcomeOf(plane.client, namespace, proxy.requests);
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
