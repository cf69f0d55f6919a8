import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { HTTP_ROUTES, type HttpRoute } from "../../operator/bridges/route/http-route.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { Stage } from "../faults/bed.ts";
import {
  routedSpec,
  routedSuite,
  routeOf,
  said,
  selected,
  TAKES,
  weightsOf,
} from "../faults/routed-stage.ts";
import { bridgeImage } from "../faults/story.ts";
import { conditionOf } from "../scene/api.ts";

/** A baseline behind a gateway on a real API server, where only what Gateways report is played. No Prometheus tells, so a person decides. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const PARENTS = [{ name: "public" }];
const STEPS = [
  { name: "fifth", weight: 20, hold: "1h" },
  { name: "half", weight: 50, hold: "1h" },
  { name: "all", weight: 100, hold: "1h" },
];

const routed = routedSuite();

const compared = (traffic: Parameters<typeof routedSpec>[1]): LLMBridgeSpecInput => ({
  ...routedSpec(FIRST, traffic, { steps: STEPS, baseline: "SameAge" }),
  replicas: 4,
});

async function serving(
  traffic: Parameters<typeof routedSpec>[1],
  prepare?: (stage: Stage) => Promise<unknown>,
) {
  const { stage } = await routed.staged({ public: TAKES });
  await prepare?.(stage);
  const player = stage.actor();
  await player.bridge.apply(compared(traffic));
  const { stable } = await player.bridge.promoted(FIRST);
  const first = stable?.revision ?? "";
  const lead = async (revision: string, step: string, to: string) => {
    await player.command({ action: "jump", revision, step, to, id: `to-${to}` });
    await player.bridge.waitFor(to, (now) => now.phase === "Holding" && now.step?.name === to);
  };
  return { stage, ...player, lead, first, baseline: `${first}-baseline` };
}

const ROUTE_OF_ITS_OWN = { route: { parentRefs: PARENTS } };
const split = async (stage: Stage, name = "chat", rule = 0) =>
  weightsOf(await routeOf(routed, stage, name), rule);
const leadsTo = async (stage: Stage) => (await selected(stage))["chat-baseline"];
const gone = (stage: Stage) =>
  expect
    .poll(async () => {
      const lists = await Promise.all(
        [resources.deployments, resources.configMaps].map((kind) => stage.list(kind)),
      );
      return lists.flat().flatMap(({ metadata: { name } }) => (name.includes("-baseline") ? [name] : []));
    })
    .toEqual([]);

describe("a baseline by a route of the operator's", () => {
  it("has the canary's weight and a Service that leads to it, none of both at 100 %, and nothing after the promotion", async () => {
    const { stage, bridge, holding, command, lead, first, baseline } = await serving(ROUTE_OF_ITS_OWN);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    expect([await split(stage), await leadsTo(stage)]).toEqual([[100, 0, 0], first]);

    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    expect(await split(stage)).toEqual([60, 20, 20]);
    expect(await selected(stage)).toEqual({
      ...{ chat: first, "chat-production": first },
      ...{ "chat-canary": second, "chat-baseline": baseline },
    });
    const status = await bridge.waitFor("counted", (now) => now.baseline?.ready === 1);
    expect([status.stable, status.baseline, status.canary]).toMatchObject([
      { replicas: 4, desiredWeight: 60 },
      { replicas: 1, desiredWeight: 20, image: FIRST },
      { replicas: 1, desiredWeight: 20 },
    ]);
    await lead(second, "fifth", "half");
    expect([await split(stage), await leadsTo(stage)]).toEqual([[25, 50, 25], baseline]);
    await lead(second, "half", "all");
    expect([await split(stage), await leadsTo(stage)]).toEqual([[0, 100, 0], first]);
    await gone(stage);

    await command({ action: "promote", revision: second, step: "all", id: "last" });
    await bridge.promoted(SECOND);
    await expect.poll(() => split(stage)).toEqual([100, 0, 0]);
    expect(new Set(Object.values(await selected(stage)))).toEqual(new Set([second]));
  });

  it("gives its share back in an abort by one change of the route, across a restart of the operator", async () => {
    const { stage, bridge, holding, command, first } = await serving(ROUTE_OF_ITS_OWN);
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const moves = () =>
      stage.writes().filter(({ resource, code }) => resource === "httproutes" && code === 200).length;
    const before = moves();
    await stage.kill();
    await command({ action: "abort", revision: second });
    await stage.start({ settingsPath: routed.settings.path });
    await bridge.rolledBack();
    expect([await split(stage), await leadsTo(stage), moves()]).toEqual([[100, 0, 0], first, before + 1]);
    await gone(stage);
  });

  it("that is wanted no more leaves the route at once, and its Service to the stable version", async () => {
    const { stage, bridge, holding, first } = await serving(ROUTE_OF_ITS_OWN);
    await bridge.patch({ image: SECOND });
    await holding(SECOND);
    await bridge.patch({ rollout: { baseline: "Stable" } });
    await expect.poll(() => split(stage)).toEqual([80, 20]);
    await gone(stage);
    expect([(await bridge.status()).phase, await leadsTo(stage)]).toEqual(["Holding", first]);
  });

  it("has clients of its own where these keep their version: those with the highest lots", async () => {
    const { stage, bridge, holding } = await serving({ route: { parentRefs: PARENTS, affinity: {} } });
    await bridge.patch({ image: SECOND });
    await holding(SECOND);
    const { spec } = await routeOf(routed, stage, "chat");
    const rules = (spec?.rules ?? []) as readonly {
      readonly matches: readonly { readonly headers?: readonly { readonly value: string }[] }[];
      readonly backendRefs: readonly { readonly name: string }[];
    }[];
    const lots = rules.map(({ matches, backendRefs }) => [
      /\[\.\](.*?)\(;/.exec(matches[0]?.headers?.[0]?.value ?? "")?.[1],
      backendRefs.map(({ name }) => name).join(),
    ]);
    expect(lots).toEqual([
      ["([0-1][0-9])", "chat-canary"],
      ["([8-9][0-9])", "chat-baseline"],
      ["[0-9][0-9]", "chat-production"],
      [undefined, "chat-production,chat-canary,chat-baseline"],
    ]);
  });
});

describe("a baseline by a route of the user's", () => {
  const backend = (name: string, weight: number) => ({ name, port: 80, weight });
  const OURS = [backend("chat-production", 100), backend("chat-canary", 0)];
  const theirs = (stage: Stage) => ({
    metadata: { name: "web", namespace: stage.namespace, labels: { team: "search" } },
    spec: {
      parentRefs: PARENTS,
      rules: [
        { name: "chat", backendRefs: OURS },
        {
          name: "legacy",
          matches: [{ path: { type: "PathPrefix", value: "/legacy" } }],
          backendRefs: [
            backend("old-bridge", 50),
            ...OURS.map((one) => ({ ...one, weight: 2 * one.weight })),
          ],
          timeouts: { request: "10m" },
        },
      ],
    },
  });

  it("waits until the rules name its Service, then has its weights in them alone", async () => {
    const { stage, bridge, command, holding, first } = await serving({ routeRef: { name: "web" } }, (at) =>
      routed.bed.plane.client.create<HttpRoute>(HTTP_ROUTES, theirs(at)),
    );
    const status = await bridge.waitFor("told what is missing", said("BackendsMissing"));
    expect(conditionOf(status, "RouteAccepted")?.message).toBe(
      'HTTPRoute "web", rule chat does not name chat-baseline, which spec.rollout.baseline SameAge needs; add the backendRef {name: chat-baseline, port: 80, weight: 0} to it, or write baseline: Stable. The weight is held.',
    );
    // There is what they are to name.
    expect(await leadsTo(stage)).toBe(first);
    await bridge.patch({ image: SECOND });
    await bridge.waitFor(
      "waiting for it",
      (now) => now.summary?.includes("does not name chat-baseline") === true,
    );

    const { spec } = theirs(stage);
    const rules = spec.rules.map((rule) => ({
      ...rule,
      backendRefs: [...rule.backendRefs, backend("chat-baseline", 0)],
    }));
    await routed.bed.plane.client.mergePatch(HTTP_ROUTES, stage.namespace, "web", { spec: { rules } });
    const second = await holding(SECOND);
    expect([await split(stage, "web"), await split(stage, "web", 1)]).toEqual([
      [60, 20, 20],
      [50, 120, 40, 40],
    ]);
    await command({ action: "abort", revision: second });
    await bridge.rolledBack();
    const { metadata, spec: after } = await routeOf(routed, stage, "web");
    expect([metadata.labels, after]).toMatchObject([{ team: "search" }, { rules }]);
  });
});
