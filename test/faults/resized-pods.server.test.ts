import { afterAll, beforeAll, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed } from "./bed.ts";
import { bridgeImage } from "./story.ts";

/** Pods whose resources somebody changes in place, as a VerticalPodAutoscaler does, by the pods' own subresource. */

type Amounts = { readonly cpu?: string; readonly memory?: string };
type Container = { readonly name: string; readonly resources: { requests?: Amounts; limits?: Amounts } };
type Pod = KubeObject & { readonly spec: { readonly containers: readonly [Container] } };
type Deployment = KubeObject & {
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: Pod["spec"] } };
};

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const LARGER = { requests: { cpu: "700m", memory: "512Mi" }, limits: { cpu: "2", memory: "1Gi" } };

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

it("are left as they are: no write, no canary, no restart; new pods and new versions have what the spec says", async () => {
  const stage = await bed.serving(FIRST);
  const { bridge, holding } = stage.actor();
  const { stable } = await bridge.status();
  const revision = stable?.revision ?? "";
  const pods = async (of: string) =>
    (await stage.list<Pod>(resources.pods)).filter(
      ({ metadata }) => metadata.labels?.[LABELS.revision] === of,
    );
  const sizes = async (of: string) => (await pods(of)).map(({ spec }) => spec.containers[0].resources);
  const [asSpecified] = await sizes(revision);
  const before = await pods(revision);
  const from = stage.writes().length;
  for (const { metadata, spec } of before) {
    const containers = [{ name: spec.containers[0].name, resources: LARGER }];
    const path = `/api/v1/namespaces/${stage.namespace}/pods/${metadata.name}/resize`;
    const type = "application/strategic-merge-patch+json";
    await bed.plane.api.request("PATCH", path, { spec: { containers } }, type);
  }
  expect(await sizes(revision)).toMatchObject([LARGER, LARGER]);

  // One more pod is wanted: what is written shows that the change of the pods was seen and led to nothing.
  await bridge.patch({ replicas: 3 });
  await bridge.waitFor("three", ({ stable: now }) => now?.ready === 3);
  const after = await pods(revision);
  expect(after.map(({ metadata }) => metadata.uid)).toEqual(
    expect.arrayContaining(before.map(({ metadata }) => metadata.uid)),
  );
  const larger = after.filter(({ spec }) => spec.containers[0].resources.limits?.memory === "1Gi");
  expect([larger.length, after.length]).toEqual([2, 3]);
  const toPods = stage
    .writes()
    .slice(from)
    .filter(({ resource }) => resource === "pods");
  expect(toPods).toEqual([]);
  const deployments = await stage.list<Deployment>(resources.deployments);
  expect(deployments.map(({ spec }) => spec.template.spec.containers[0].resources)).toEqual([asSpecified]);

  await bridge.patch({ image: SECOND });
  const canary = await holding(SECOND);
  expect(await sizes(canary)).toEqual((await pods(canary)).map(() => asSpecified));
  await stage.close();
});
