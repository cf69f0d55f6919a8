import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import { contextOf } from "../look.ts";
import { inputOf, step, T0, type World, worldAtRest } from "./world.ts";

type Pods = Partial<World["revisions"][string]>;

interface Around extends Partial<World> {
  readonly plan?: Record<string, unknown>;
  /** Pods of each revision, all of them ready, or as they are said to be. */
  readonly pods?: Readonly<Record<string, number | Pods>>;
}

/** A time so many minutes after the world began, as it is stored. */
export const minutes = (count: number): string => new Date(T0 + count * 60_000).toISOString();

/**
 * One look at a rollout in a given state, without the way there, for tests of what is decided from it: a canary "b" beside "a" at the first of two
 * steps, with four pods needed and ready of each.
 */
export function contextAt(state: Partial<RolloutStatus>, { plan, pods = {}, ...more }: Around = {}): Context {
  const steps = [step("half", 50), step("all", 100)];
  const world = worldAtRest({
    needed: 4,
    desired: "b",
    ...more,
    plan: { steps, watchAfter: "10m", ...plan },
  });
  for (const [revision, has] of Object.entries({ a: 4, b: 4, ...pods })) {
    const given: Pods = typeof has === "number" ? { ready: has } : has;
    const { ready = 0, unready = 0, wanted = ready + unready, terminating = 0, fault } = given;
    world.revisions[revision] = { wanted, ready, unready, terminating, fault };
  }
  const canary = { stableRevision: "a", canaryRevision: "b", stepName: "half" };
  return contextOf(inputOf(world), { phase: "Holding", phaseSince: minutes(0), ...canary, ...state });
}
