import { afterAll, beforeAll, describe, type ExpectStatic, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { HTTP_ROUTES, type HttpRoute } from "../../operator/bridges/route/http-route.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { Report } from "../load/load.ts";
import type { Bridge } from "../scene/api.ts";
import { deployGateway, GATEWAY, removeGateway, untilRouted } from "../scene/gateway.ts";
import { expectUnharmed, lastAcceptedSeconds, restartsByPod, rollsBack } from "../scene/rollback.ts";
import { openScene, type Scene } from "../scene/scene.ts";

/** A canary and pods of the stable version that are as old: by the pods behind a Service, and by the weights of a real gateway. */

const STEPS = [
  { name: "third", weight: 33, hold: "5s" },
  { name: "all", weight: 100, hold: "0s", analysis: "None" as const },
];
/** Quick, so that the suite is: what has no failures at all is never called worse, whatever the probability. */
const ANALYSIS = {
  interval: "2s",
  falseRollback: "5%",
  errors: { rollbackAbove: "0.5%", promoteBelow: "10%" },
};

/** The bad version fails 5%: below the margin that lets the good one pass so soon, it would be proved good enough as likely as worse. */
const STRICT = { errors: { promoteBelow: "1%" } };

interface Way {
  readonly router: "Replicas" | "Gateway";
  readonly name: string;
  /** Share of requests on a connection of their own: kube-proxy deals connections, and a few that are kept alive may all lead to one of two pods. */
  readonly freshShare: number;
  /** How far the canary's part of what both got may be from a half, beyond what chance does to so few, agents' chats among them. */
  readonly unequal: number;
}
const WAYS: readonly Way[] = [
  { router: "Replicas", name: "pods", freshShare: 1, unequal: 0.2 },
  { router: "Gateway", name: "routed", freshShare: 0.3, unequal: 0.08 },
];

let scene: Scene;
let gatewayUrl: string;
beforeAll(async () => {
  scene = await openScene("baseline");
  gatewayUrl = await deployGateway(scene);
  await Promise.all([scene.image("next"), scene.image("errors")]);
});
afterAll(async () => {
  if (!scene) return;
  await removeGateway(scene);
  await scene.close();
});

async function serve(bridge: Bridge, { router }: Way): Promise<string> {
  const traffic = router === "Gateway" ? { router, route: { parentRefs: [GATEWAY] } } : { router };
  const spec = await scene.spec({ scaling: { mode: "Fixed" }, replicas: 2 });
  const rollout = {
    ...spec.rollout,
    steps: STEPS,
    analysis: ANALYSIS,
    baseline: "SameAge" as const,
    traffic,
  };
  await bridge.apply({ ...spec, rollout });
  const { stable } = await bridge.promoted(spec.image);
  if (router === "Gateway") await untilRouted(bridge, gatewayUrl);
  return stable?.revision ?? "";
}

/** What is left of baselines. */
async function leftovers({ name }: Bridge): Promise<string[]> {
  const kinds = [resources.deployments, resources.configMaps, resources.pods];
  const labelSelector = `${LABELS.bridge}=${name}`;
  const lists = await Promise.all(
    kinds.map((kind) => scene.client.list<KubeObject>(kind, { namespace: scene.namespace, labelSelector })),
  );
  return lists
    .flat()
    .filter(({ metadata }) => metadata.labels?.[LABELS.revision]?.endsWith("-baseline"))
    .map(({ metadata }) => metadata.name);
}

/** Failures of versions that are good. */
const sufferedBy = (report: Report, revisions: readonly string[]) =>
  revisions.map((revision) => {
    const { failed = 0, cut = 0 } = report.versions[revision] ?? {};
    return { revision, failed, cut };
  });
const unharmed = (revisions: readonly string[]) =>
  revisions.map((revision) => ({ revision, failed: 0, cut: 0 }));

describe.concurrent("a canary beside a baseline of the same age", () => {
  // Its own `expect`: the global one polls for the test that runs, and knows of none once a concurrent one has ended.
  it.for(WAYS)("by $router", async (way, { expect }) => {
    const bridge = scene.bridge(way.name);
    const first = await serve(bridge, way);
    const load = await scene.load(bridge, {
      ...(way.router === "Gateway" ? { url: gatewayUrl } : {}),
      ...{ rps: 30, freshShare: way.freshShare, longStreams: 2, longStreamSeconds: 15, agents: 2 },
    });

    const good = await scene.image("next");
    await bridge.patch({ image: good });
    const started = await bridge.waitFor("beside a baseline", (now) => (now.baseline?.ready ?? 0) > 0);
    expect(started.baseline?.revision).toBe(`${first}-baseline`);
    const { stable } = await bridge.promoted(good);
    const second = stable?.revision ?? "";
    await expect.poll(() => leftovers(bridge), { timeout: 60_000 }).toEqual([]);

    const pods = await restartsByPod(scene, bridge, second);
    const of = { bridge, load, stable: second, pods };
    const bad = { image: await scene.image("errors"), rollout: { analysis: STRICT } };
    const back = await rollsBack(scene, of, bad, "ErrorsProvedWorse");
    await expect.poll(() => leftovers(bridge), { timeout: 60_000 }).toEqual([]);
    if (way.router === "Gateway") await expectRouteOfRest(expect, bridge, second);

    const report = await load.stop(20_000);
    const baseline = `${second}-baseline`;
    const [its, beside] = [report.versions[back.canary], report.versions[baseline]];
    const part = (its?.finished ?? 0) / ((its?.finished ?? 0) + (beside?.finished ?? 0));
    console.log(
      [
        `${way.router}: ${back.message}`,
        `the bad canary answered ${its?.finished}, its baseline ${beside?.finished}, ${second} ${report.versions[second]?.finished}`,
        `verdict ${((back.verdictMs - back.editMs) / 1000).toFixed(0)} s after the edit, last request to the canary ${lastAcceptedSeconds(back, report).toFixed(1)} s after it; lag p99 ${report.lagMs.p99.toFixed(0)} ms`,
      ].join("\n  "),
    );
    expect(Math.abs(part - 0.5)).toBeLessThan(way.unequal);
    expect(its?.failed).toBeGreaterThan(0);
    const wellBehaved = [first, `${first}-baseline`, second, baseline];
    expect(sufferedBy(report, wellBehaved)).toEqual(unharmed(wellBehaved));
    expectUnharmed(of, report);
    expect(report.versions.unknown).toBeUndefined();
  });
});

/** The route gives all to the stable version, and the baseline's Service, whatever its weight, leads there too. */
async function expectRouteOfRest(expect: ExpectStatic, { name }: Bridge, stable: string): Promise<void> {
  const { namespace } = scene;
  const weights = async () => {
    const route = await scene.client.get<HttpRoute>(HTTP_ROUTES, namespace, name);
    return route.spec?.rules?.[0]?.backendRefs?.map((ref) => [ref.name, ref.weight]);
  };
  await expect.poll(weights, { timeout: 30_000 }).toEqual([
    [`${name}-production`, 100],
    [`${name}-canary`, 0],
    [`${name}-baseline`, 0],
  ]);
  const { spec } = await scene.client.get<KubeObject & { spec: { selector: Record<string, string> } }>(
    resources.services,
    namespace,
    `${name}-baseline`,
  );
  expect(spec.selector[LABELS.revision]).toBe(stable);
}
