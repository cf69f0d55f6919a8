import type { Controller } from "../kube/controller.ts";
import type { InformerHealth } from "../kube/informer.ts";

/** One thing that must hold. */
export interface Check {
  readonly name: string;
  /** Says what is wrong, or nothing. Must be quick and must not wait for anything. */
  readonly problem: () => string | undefined;
  /** Says what else its reader should know, though nothing is wrong with the process. */
  readonly note?: () => string | undefined;
}

interface Observed {
  health(): InformerHealth;
}

/** A reflector lists, backs off or hears a bookmark far more often; one that has been still for so long will not move again. */
const WEDGED_AFTER_MS = 15 * 60_000;

/**
 * For /healthz. That the API server cannot be reached is no problem here: a restart would not help, and would empty the caches.
 */
export function reflectorsMove(informers: Readonly<Record<string, Observed>>): Check {
  return {
    name: "reflectors",
    problem() {
      const wedged = Object.entries(informers).filter(([, one]) => one.health().stillMs > WEDGED_AFTER_MS);
      return wedged.length === 0 ? undefined : `${namesOf(wedged)} has not moved for 15 minutes`;
    },
  };
}

/**
 * For /readyz: before the caches are full there is nothing to decide on, nor while something may not be read that is read in the whole cluster. A
 * namespace of several that may not be read is named, and is no reason to take the operator from the others.
 */
export function cachesSynced(informers: Readonly<Record<string, Observed>>): Check {
  return {
    name: "caches",
    problem() {
      const everywhere = Object.entries(informers).flatMap(([name, one]) => {
        const refusal = one.health().refused.find(({ namespace }) => namespace === "");
        return refusal ? [`${name} may not be read: ${refusal.message}`] : [];
      });
      const missing = Object.entries(informers).filter(([, one]) => !one.health().settled);
      const unlisted = missing.length === 0 ? [] : [`${namesOf(missing)} has not been listed yet`];
      const problems = [...everywhere, ...unlisted];
      return problems.length === 0 ? undefined : problems.join("; ");
    },
    note() {
      const refused = Object.entries(informers).flatMap(([name, one]) => {
        const namespaces = one.health().refused.flatMap(({ namespace }) => namespace || []);
        return namespaces.length === 0 ? [] : [`${name} in ${namespaces.join(", ")}`];
      });
      return refused.length === 0 ? undefined : `may not be read and left alone: ${refused.join("; ")}`;
    },
  };
}

/**
 * For /healthz: a reconcile that neither ends nor heeds its aborted signal holds its key for ever.
 * @param limitMs far above the controller's deadline
 */
export function reconcilesEnd(
  controller: Pick<Controller, "longestRunningMs">,
  limitMs = 10 * 60_000,
): Check {
  return {
    name: "reconciles",
    problem: () =>
      controller.longestRunningMs() > limitMs
        ? `a reconcile has been running for more than ${Math.round(limitMs / 60_000)} minutes`
        : undefined,
  };
}

function namesOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([name]) => name).join(", ");
}
