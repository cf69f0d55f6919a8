import type { World } from "./world.ts";

/** Where the requests of a world's clients go, in percent: to each revision, and to nobody. */
export interface Served {
  readonly revisions: Readonly<Record<string, number>>;
  /** What a gateway or a Service without endpoints answers with an error. */
  readonly nobody: number;
}

/** As kube-proxy does it: connections are dealt out evenly to the ready pods behind the bridge's Service. */
export function servedBy({ services, revisions }: World): Served {
  return across(services.main, revisions, 100);
}

function across(selected: readonly string[], revisions: World["revisions"], percent: number): Served {
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
