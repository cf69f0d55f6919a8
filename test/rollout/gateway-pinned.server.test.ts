import { expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { Stage } from "../faults/bed.ts";
import { routedSpec, routedSuite, routeOf, TAKES, weightsOf } from "../faults/routed-stage.ts";
import { bridgeImage } from "../faults/story.ts";

/** Weights and pods apart, by router Gateway: the real Gateway API on a real API server, where only what Gateways report is played. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const routed = routedSuite();

const analysis = "None" as const;
const steps = [
  { name: "dark", weight: 0, replicas: 2, hold: "1h", analysis },
  { name: "quarter", weight: 25, replicas: 4, hold: "1h", analysis },
  { name: "half", weight: 50, replicas: 4, hold: "1h", analysis },
  { name: "more", weight: 60, hold: "1h", analysis },
  { name: "all", weight: 100, hold: "1h", analysis },
];

type Deployment = KubeObject & { spec: { replicas: number } };

/** Weight of the canary, and pods of both versions. */
async function look(stage: Stage, canary: string) {
  const [route, deployments] = await Promise.all([
    routeOf(routed, stage, "chat"),
    stage.list<Deployment>(resources.deployments),
  ]);
  const isCanary = ({ metadata }: KubeObject) => metadata.labels?.[LABELS.revision] === canary;
  const replicas = (some: readonly Deployment[]) => some.map(({ spec }) => spec.replicas);
  return [
    weightsOf(route).at(-1),
    ...replicas(deployments.filter((one) => !isCanary(one))),
    ...replicas(deployments.filter(isCanary)),
  ];
}

it("weights change and a pinned canary does not move; without the pin its pods follow the weight again", async () => {
  const { stage } = await routed.staged({ public: TAKES });
  const { bridge, command, holding } = stage.actor();
  const traffic = { route: { parentRefs: [{ name: "public" }] } };
  await bridge.apply({ ...routedSpec(FIRST, traffic, { steps }), replicas: 4 });
  await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  const canary = await holding(SECOND);
  const seen = [];
  for (const { name } of steps) {
    await bridge.waitFor(`at ${name}`, ({ phase, step }) => phase === "Holding" && step?.name === name);
    seen.push(await look(stage, canary));
    await command({ action: "promote", revision: canary, step: name, id: name });
  }
  expect(seen).toEqual([
    [0, 4, 2],
    [25, 4, 4],
    [50, 4, 4],
    [60, 4, 3],
    [100, 4, 4],
  ]);
  await bridge.promoted(SECOND);
});
