import { setTimeout as delay } from "node:timers/promises";
import type { ControlPlane } from "./control-plane.ts";
import type { Fault } from "./exploring/faults.ts";
import { recordHistory } from "./exploring/history.ts";
import { acting, createMoments, type Entry, type Moments } from "./exploring/moments.ts";
import { brokenIn } from "./exploring/promises.ts";
import { arm, type Candidate } from "./exploring/strikes.ts";
import type { OperatorProgram } from "./operator-process.ts";
import { type Outcome, outcomeDifferences, outcomeOf } from "./outcome.ts";
import { isOwnWrite, type ProxiedRequest, startFaultProxy } from "./proxy.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import type { Scenery, Story } from "./story.ts";
import { supervise } from "./supervise.ts";

export interface Run {
  readonly outcome: Outcome;
  /** What happened, in order. */
  readonly trace: readonly Entry[];
  /** Promises that were not kept at some moment. */
  readonly broken: readonly string[];
  /** How often an operator ended without being told, made or allowed to. */
  readonly ownEnds: number;
  /** Whether the fault struck: not where this run came to its end with fewer writes. True where there was none. */
  readonly isReached: boolean;
}

/** What a story is played with, in a namespace of its own. */
export interface Cast {
  readonly plane: ControlPlane;
  readonly program: OperatorProgram;
  readonly namespace: string;
  readonly moments: Moments;
  readonly settings: TestSettings | undefined;
}

/** The operators of a run, and what strikes them. */
export interface Troupe {
  readonly candidates: readonly Candidate[];
  readonly isReached: () => boolean;
  /** Ends when nothing that struck is in force any more. */
  over(): Promise<void>;
  /** What else is wrong, when all is over. */
  wrong(): Promise<readonly string[]>;
}

const AT_REST_WITHIN_MS = 20_000;
/** Twice the same, so that what follows it is seen too. */
const STAYS_FOR_MS = 300;
let runs = 0;

/**
 * Plays a story in a namespace of its own.
 * @param wanted the end that is waited for, a while, since the last word of the story is not the operator's last
 * @param gather starts the operators that it is played with. Default: one, behind a proxy of its own, with the fault
 */
export async function run(
  plane: ControlPlane,
  program: OperatorProgram,
  story: Story,
  wanted: Outcome | undefined,
  gather: (cast: Cast) => Promise<Troupe> = (cast) => alone(cast),
): Promise<Run> {
  // Not only among this suite's: another one may have used the control plane.
  const namespace = `explored-${process.pid}-${runs++}`;
  await plane.api.request("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const moments = createMoments();
  const settings = story.settings && settingsFile(story.settings);
  const history = await recordHistory(plane.client, namespace, story.also);
  let scenery: Scenery | undefined;
  let troupe: Troupe | undefined;
  try {
    scenery = await story.prepare?.(plane, namespace);
    troupe = await gather({ plane, program, namespace, moments, settings });
    const { candidates, isReached, over, wrong } = troupe;
    await story.play(acting(plane.client, moments), namespace);
    await over();
    const requests = () => writesOf(candidates);
    const outcome = await atRest(() => outcomeOf(plane.client, namespace, requests(), story.also), wanted);
    return {
      outcome,
      trace: moments.trace,
      broken: [...brokenIn(await history.changes()), ...(await wrong())],
      ownEnds: candidates.reduce((sum, { operator }) => sum + operator.ownEnds(), 0),
      isReached: isReached(),
    };
  } finally {
    await dismiss(troupe?.candidates ?? []);
    await scenery?.stop();
    await history.close();
    settings?.remove();
    await plane.api.request("DELETE", `/api/v1/namespaces/${namespace}`);
  }
}

const writesOf = (candidates: readonly Candidate[]): ProxiedRequest[] =>
  candidates.flatMap(({ proxy }) => proxy.requests.filter(isOwnWrite)).toSorted((a, b) => a.atMs - b.atMs);

/** One operator without a Lease, so that one that was killed is followed at once. */
export async function alone(cast: Cast, fault?: Fault): Promise<Troupe> {
  const candidate = await candidateOf(cast, cast.plane.server.kubeconfigPath);
  const armed = fault && arm(candidate, fault, cast.moments);
  return {
    candidates: [candidate],
    isReached: () => armed?.isReached() ?? true,
    over: async () => armed?.over(),
    wrong: async () => [],
  };
}

/** Starts an operator behind a proxy of its own. */
export async function candidateOf(
  { program, namespace, moments, settings }: Cast,
  path: string,
  options: { readonly leaderElection?: boolean; readonly instance?: string } = {},
): Promise<Candidate> {
  const proxy = await startFaultProxy(path);
  proxy.onRequest((request) => {
    if (isOwnWrite(request)) moments.note("Write", `${request.verb} ${request.resource}`);
  });
  proxy.onEvent(moments.news);
  const { kubeconfigPath } = proxy;
  const settingsPath = settings && { settingsPath: settings.path };
  const operator = supervise(() =>
    program.start({ kubeconfigPath, namespaces: [namespace], ...options, ...settingsPath }),
  );
  try {
    await operator.started;
  } catch (error) {
    await proxy.close();
    throw error;
  }
  return { proxy, operator };
}

/** Ends operators and the lines they had. */
export async function dismiss(candidates: readonly Candidate[]): Promise<void> {
  for (const { operator, proxy } of candidates) {
    await operator.stop();
    await proxy.close();
  }
}

/** Looks until the outcome is as wanted, for a while: the last word of a story is not the operator's last. */
export async function atRest(look: () => Promise<Outcome>, wanted: Outcome | undefined): Promise<Outcome> {
  const deadline = performance.now() + AT_REST_WITHIN_MS;
  let isAgain = false;
  for (;;) {
    const found = await look();
    const isRight = wanted === undefined || outcomeDifferences(wanted, found).length === 0;
    if (performance.now() > deadline || (isRight && (isAgain || wanted === undefined))) return found;
    isAgain = isRight;
    await delay(STAYS_FOR_MS);
  }
}
