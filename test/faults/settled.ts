import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import type { Stage } from "./bed.ts";

export const revisionOf = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.revision] ?? "";

/** Waits until the present spec was seen; what was written to children from that write on. */
export async function seen(stage: Stage, from: number, name = "chat") {
  const { bridge } = stage.actor(name);
  const generation = (await bridge.get())?.metadata.generation ?? 0;
  const status = await bridge.waitFor(
    "seen",
    ({ observedGeneration = 0 }) => observedGeneration >= generation,
  );
  const toChildren = stage
    .writes()
    .slice(from)
    .map(({ resource }) => resource)
    .filter((one) => one !== "llmbridges/status");
  return { generation, status, toChildren };
}

/** Waits until all is done that follows from a promotion, which is on record before: tracks, pods, and what a look at it would still write. */
export async function settled(stage: Stage, revision: string, name = "chat"): Promise<void> {
  await until("tracks of both versions", async () =>
    (await stage.list(resources.deployments)).every(
      (one) =>
        one.metadata.labels?.[LABELS.track] === (revisionOf(one) === revision ? "production" : "retired"),
    ),
  );
  await until("the only one with pods", async () =>
    (await stage.list(resources.pods)).every((pod) => revisionOf(pod) === revision),
  );
  await quiet(stage, name);
}

/** Another one each time: a patch that says nothing new brings no look. */
let minutes = 20;

/** Waits until a look at the bridge writes nothing to its children. */
export async function quiet(stage: Stage, name = "chat"): Promise<void> {
  for (let isQuiet = false; !isQuiet; ) {
    const from = stage.writes().length;
    await stage.actor(name).bridge.patch({ rollout: { progressDeadline: `${minutes++}m` } });
    isQuiet = (await seen(stage, from, name)).toChildren.length === 0;
  }
}
