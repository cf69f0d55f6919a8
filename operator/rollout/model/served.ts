import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { ServiceTargets } from "../types.ts";

/** What of a world deals its requests out. */
interface Dealing {
  readonly spec: Rollout;
  readonly services: ServiceTargets;
  readonly revisions: Readonly<Record<string, { readonly ready: number; readonly wanted: number }>>;
  readonly route: { readonly followed: number };
  readonly beside: { readonly followed: number };
}

/** Where the requests of a world's clients go, in percent: to each revision, and to nobody. */
export interface Served {
  readonly revisions: Readonly<Record<string, number>>;
  /** What a gateway or a Service without endpoints answers with an error. */
  readonly nobody: number;
}

/**
 * As kube-proxy does it: connections are dealt out evenly to the ready pods behind the bridge's Service. As a gateway does it: by the weight that it
 * follows now, and within a Service evenly.
 */
export function servedBy({ services, revisions, spec, route, beside }: Dealing): Served {
  if (spec.traffic.router === "Replicas") return across(services.main, revisions, 100);
  const parts = [
    across(services.stable, revisions, 100 - route.followed - beside.followed),
    across(services.canary, revisions, route.followed),
    across(services.baseline ?? [], revisions, beside.followed),
  ];
  const sum: Record<string, number> = {};
  for (const part of parts)
    for (const [name, share] of Object.entries(part.revisions)) sum[name] = (sum[name] ?? 0) + share;
  return { revisions: sum, nobody: parts.reduce((all, { nobody }) => all + nobody, 0) };
}

function across(selected: readonly string[], revisions: Dealing["revisions"], percent: number): Served {
  if (percent === 0) return { revisions: {}, nobody: 0 };
  const ready = selected.map((revision): [string, number] => {
    const pods = revisions[revision];
    // Pods that are told to end are out of the Service.
    return [revision, pods ? Math.min(pods.ready, pods.wanted) : 0];
  });
  const all = ready.reduce((sum, [, pods]) => sum + pods, 0);
  if (all === 0) return { revisions: {}, nobody: percent };
  const shares = ready.filter(([, pods]) => pods > 0).map(([name, pods]) => [name, (percent * pods) / all]);
  return { revisions: Object.fromEntries(shares), nobody: 0 };
}
