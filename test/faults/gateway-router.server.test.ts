import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HTTP_ROUTES, type HttpRoute } from "../../operator/bridges/route/http-route.ts";
import type { DesiredObject } from "../../operator/kube/object.ts";
import { type Answer, playGateways, removeGatewayApi, serveGatewayApi } from "../kube/gateway-api.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import type { Bed, Stage } from "./bed.ts";
import { diesAt } from "./dies-at.ts";
import {
  openRoutedBed,
  ROUTED_SETTINGS,
  type RoutedBed,
  type RoutedStage,
  routeOf as routeIn,
  said,
  selected,
  routedSpec as spec,
  TAKES,
  weightsOf,
} from "./routed-stage.ts";
import { settingsFile } from "./settings-file.ts";
import { bridgeImage } from "./story.ts";

/** Router Gateway: the real definitions of the Gateway API on a real API server, where only what Gateways report is played. */

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];

let routed: RoutedBed;
let bed: Bed;
let open: RoutedStage | undefined;
let alone: Stage | undefined;
let gateways: Awaited<ReturnType<typeof playGateways>> | undefined;
beforeAll(async () => {
  // Its definitions vanish in one of the tests.
  routed = await openRoutedBed({ isOwn: true });
  bed = routed.bed;
});
afterEach(async () => {
  await gateways?.stop();
  await open?.close();
  await alone?.close();
  gateways = open = alone = undefined;
});
afterAll(async () => routed?.down());

/** A stage whose Gateways answer so, with a user's route where one is given. */
async function staged(answers: Record<string, Answer>, options?: Parameters<Stage["start"]>[0]) {
  open = await routed.staged(answers, options);
  return open.stage;
}

const routeOf = (stage: Stage, name: string): Promise<HttpRoute> => routeIn(routed, stage, name);

const backend = (name: string, weight: number) => ({ name, port: 80, weight });

/** A route with much that is not ours: rules, filters, backends, timeouts, and labels. */
const THEIRS = {
  metadata: { name: "web", labels: { team: "search" }, annotations: { "example.com/note": "keep" } },
  spec: {
    parentRefs: [{ name: "public", sectionName: "https" }, { name: "internal" }],
    hostnames: ["chat.example.com"],
    rules: [
      {
        name: "static",
        matches: [{ path: { type: "PathPrefix", value: "/static" } }],
        backendRefs: [backend("assets", 3), backend("assets-next", 1)],
      },
      {
        name: "pinned",
        matches: [{ headers: [{ name: "x-version", value: "stable" }] }],
        backendRefs: [backend("chat-production", 7)],
      },
      {
        name: "chat",
        matches: [{ path: { type: "PathPrefix", value: "/v1" }, method: "POST" }],
        filters: [
          {
            type: "RequestHeaderModifier",
            requestHeaderModifier: { set: [{ name: "x-from", value: "edge" }] },
          },
        ],
        backendRefs: [
          {
            ...backend("chat-canary", 1),
            filters: [
              {
                type: "ResponseHeaderModifier",
                responseHeaderModifier: { add: [{ name: "x-track", value: "c" }] },
              },
            ],
          },
          backend("chat-production", 1),
        ],
        timeouts: { request: "10m" },
      },
      {
        name: "shared",
        matches: [{ path: { type: "PathPrefix", value: "/legacy" } }],
        backendRefs: [backend("old-bridge", 50), backend("chat-production", 150), backend("chat-canary", 50)],
      },
    ],
  },
};

const createRoute = (stage: Stage, route: object): Promise<HttpRoute> => {
  const { metadata, ...rest } = route as DesiredObject;
  const object = { ...rest, metadata: { ...metadata, namespace: stage.namespace } };
  return bed.plane.client.create<HttpRoute>(HTTP_ROUTES, object);
};

/** A copy of a route's spec in which our Services have these weights, by rule. */
function withWeights(route: HttpRoute, weights: Record<string, Record<string, number>>): HttpRoute["spec"] {
  const rules = (route.spec?.rules ?? []).map((rule) => ({
    ...rule,
    backendRefs: rule.backendRefs?.map((ref) => ({
      ...ref,
      weight: weights[rule.name ?? ""]?.[ref.name] ?? ref.weight,
    })),
  }));
  return { ...route.spec, rules } as HttpRoute["spec"];
}

const shares = (percent: number) => ({
  chat: { "chat-production": 100 - percent, "chat-canary": percent },
  shared: { "chat-production": 2 * (100 - percent), "chat-canary": 2 * percent },
});

describe("a route of the user's", () => {
  it("gets our weights in the rules that split, step by step, and nothing else of it is touched", async () => {
    const stage = await staged({ public: TAKES, internal: TAKES });
    const theirs = await createRoute(stage, THEIRS);
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web" } }));
    const { stable } = await bridge.promoted(FIRST);
    const first = stable?.revision;
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    expect(await selected(stage)).toEqual({ chat: first, "chat-production": first, "chat-canary": first });
    const at = async (percent: number) => {
      const now = await routeOf(stage, "web");
      expect(now.spec).toEqual(withWeights(theirs, shares(percent)));
      expect(now.metadata.labels).toEqual(theirs.metadata.labels);
      expect(now.metadata.annotations).toEqual(theirs.metadata.annotations);
    };
    await at(0);

    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await at(50);
    expect(await selected(stage)).toEqual({ chat: first, "chat-production": first, "chat-canary": second });
    expect((await bridge.status()).canary).toMatchObject({ desiredWeight: 50, ready: 1 });
    await command({ action: "promote", revision: second, full: true });
    await bridge.promoted(SECOND);
    await until("the weights of rest", async () => weightsOf(await routeOf(stage, "web"), 2)[0] === 0);
    await at(0);
    expect(await selected(stage)).toEqual({ chat: second, "chat-production": second, "chat-canary": second });

    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    await command({ action: "abort", revision: third });
    await bridge.rolledBack();
    await at(0);
    expect(await selected(stage)).toEqual({ chat: second, "chat-production": second, "chat-canary": second });
    // Two rollouts: 50 and 0, 50, 100 and 0; and what was written at first.
    const patches = stage.writes().filter(({ resource }) => resource === "httproutes");
    expect(patches.filter(({ code }) => code === 200)).toHaveLength(6);
  });

  it("scenario 23: holds while one of its Gateways refuses it, in its words, and goes on when it does no more", async () => {
    const answers: Record<string, Answer> = { public: TAKES, internal: TAKES };
    const stage = await staged(answers);
    await createRoute(stage, THEIRS);
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web", rules: ["chat"] } }));
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    answers.internal = { resolved: false, message: "the port is not allowed here" };
    await bridge.patch({ image: SECOND });
    const status = await bridge.waitFor("told that it is refused", said("Refused"));
    expect(conditionOf(status, "RouteAccepted")?.message).toBe(
      'HTTPRoute "web" is refused by Gateway internal (example.com/gateway): ResolvedRefs is False, BackendNotFound: the port is not allowed here. The weight is held.',
    );
    const { canary } = await bridge.waitFor(
      "at the step, its canary ready",
      (now) => now.phase === "Stepping",
    );
    expect(conditionOf(await bridge.status(), "Progressing")).toMatchObject({
      reason: "RouteNotReady",
      message: expect.stringContaining("the port is not allowed here"),
    });
    // Not even a person leads it on past a Gateway that refuses.
    await command({ action: "promote", revision: canary?.revision ?? "", full: true });
    await bridge.waitFor("answered", (now) => now.command?.result === "Done");
    expect((await bridge.status()).phase).toBe("Stepping");
    answers.internal = TAKES;
    await open?.gateways.again();
    await bridge.promoted(SECOND);
    // Only the rule that was named.
    expect(weightsOf(await routeOf(stage, "web"), 3)).toEqual([50, 150, 50]);
    await bridge.patch({ image: THIRD });
    await holding(THIRD);
  });

  it("scenario 2: has the weight of a step written once, though the operator ends before it learns that it was", async () => {
    const stage = await staged({ public: TAKES, internal: TAKES });
    await createRoute(stage, THEIRS);
    const { bridge, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web", rules: ["chat"] } }));
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    const before = stage.writes().length;
    const death = diesAt(stage, ({ resource }) => resource === "httproutes", "After", {
      settingsPath: routed.settings.path,
    });
    await bridge.patch({ image: SECOND });
    await death.restarted;
    await holding(SECOND);
    const patches = stage
      .writes()
      .slice(before)
      .filter(({ resource, carriedOut }) => resource === "httproutes" && carriedOut);
    expect(patches).toHaveLength(1);
    expect(weightsOf(await routeOf(stage, "web"), 2)).toEqual([50, 50]);
    const { canary, rollout } = await bridge.status();
    expect([canary?.desiredWeight, rollout?.stepName]).toEqual([50, "half"]);
  });

  it("says what is missing: the route, our Services in it, a rule, weights that can be split", async () => {
    const stage = await staged({ public: TAKES, internal: TAKES });
    const { bridge, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web" } }));
    await bridge.promoted(FIRST);
    const words = async (reason: string) =>
      conditionOf(await bridge.waitFor(`told ${reason}`, said(reason)), "RouteAccepted")?.message;
    expect(await words("RouteMissing")).toMatch(/no HTTPRoute "web" .*make it, or correct the name/);
    await bridge.patch({ image: SECOND });
    await bridge.waitFor(
      "held",
      (now) => conditionOf(now, "Progressing")?.message.includes("no HTTPRoute") === true,
    );
    const route = { ...THEIRS, spec: { ...THEIRS.spec, rules: THEIRS.spec.rules.slice(0, 2) } };
    await createRoute(stage, route);
    expect(await words("BackendsMissing")).toMatch(
      /add backendRefs \{name: chat-production, port: 80, weight: 100\}/,
    );
    const uneven = {
      backendRefs: [backend("other", 1), backend("chat-production", 9), backend("chat-canary", 1)],
    };
    const change = (rules: readonly object[]) =>
      bed.plane.client.mergePatch(HTTP_ROUTES, stage.namespace, "web", { spec: { rules } });
    await change([uneven]);
    await bridge.waitFor(
      "told of weights",
      (now) => conditionOf(now, "RouteAccepted")?.message.includes("multiple of 100") === true,
    );
    await bridge.patch({ rollout: { traffic: { routeRef: { name: "web", rules: ["nowhere"] } } } });
    await bridge.waitFor(
      "told of the rule",
      (now) => conditionOf(now, "RouteAccepted")?.message.includes("no rule named nowhere") === true,
    );
    await bridge.patch({ rollout: { traffic: { routeRef: { name: "web", rules: [] } } } });
    await change(THEIRS.spec.rules);
    await holding(SECOND);
    expect(weightsOf(await routeOf(stage, "web"), 2)).toEqual([50, 50]);
  });

  it("is not fought for with who applies other weights each time, and the canary leaves all the same", async () => {
    const stage = await staged({ public: TAKES, internal: TAKES });
    await createRoute(stage, THEIRS);
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web", rules: ["chat"] } }));
    const { stable } = await bridge.promoted(FIRST);
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    const before = stage.writes().filter(({ resource }) => resource === "httproutes").length;
    const stop = new AbortController();
    const opponent = (async () => {
      while (!stop.signal.aborted) {
        if (weightsOf(await routeOf(stage, "web"), 2)[0] !== 10)
          await bed.plane.client.mergePatch(HTTP_ROUTES, stage.namespace, "web", {
            spec: withWeights(await routeOf(stage, "web"), {
              chat: { "chat-canary": 10, "chat-production": 90 },
            }),
          });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const status = await bridge.waitFor(
      "told that it is contested",
      (now) => conditionOf(now, "Stalled")?.reason === "Contested",
    );
    expect(conditionOf(status, "Stalled")?.message).toContain('httproutes "web"');
    await command({ action: "abort", revision });
    // Its Service leads to the stable version, whatever the weights.
    await until(
      "its Service to have left",
      async () => (await selected(stage))["chat-canary"] === stable?.revision,
    );
    stop.abort();
    await opponent;
    const tries = stage.writes().filter(({ resource, code }) => resource === "httproutes" && code === 200);
    expect(tries.length - before).toBeLessThanOrEqual(7);
    await bridge.rolledBack();
  });

  it("changed at the same time keeps the change: ours conflicts and is decided again", async () => {
    const stage = await staged({ public: TAKES, internal: TAKES });
    await createRoute(stage, THEIRS);
    const { bridge, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { routeRef: { name: "web", rules: ["chat"] } }));
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    const ice = stage.proxy.freeze(({ resource, verb }) => resource === "httproutes" && verb === "watch");
    // Now the rule stands in another place, where the operator does not see it.
    const [one, two, chat, shared] = THEIRS.spec.rules;
    const rules = [
      { ...chat, backendRefs: [backend("chat-production", 100), backend("chat-canary", 0)] },
      shared,
      one,
      two,
    ];
    await bed.plane.client.mergePatch(HTTP_ROUTES, stage.namespace, "web", { spec: { rules } });
    await bridge.patch({ image: SECOND });
    await until("a conflict", () =>
      stage.writes().some(({ resource, code }) => resource === "httproutes" && code === 409),
    );
    expect((await routeOf(stage, "web")).spec?.rules?.[2]?.backendRefs).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "assets", weight: 3 })]),
    );
    ice.thaw();
    await holding(SECOND);
    expect(weightsOf(await routeOf(stage, "web"), 0)).toEqual([50, 50]);
    expect(weightsOf(await routeOf(stage, "web"), 2)).toEqual([3, 1]);
  });
});

describe("a route of the operator's", () => {
  const parentRefs = [{ name: "public", sectionName: "https" }];
  const canaryMatches = [
    { header: "x-canary", value: "always" },
    { cookie: "canary", value: "v1.2" },
  ];

  it("is made, follows the spec and the steps, is restored, and goes when it is asked for no more", async () => {
    const stage = await staged({ public: TAKES });
    const { client } = bed.plane;
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(
      spec(FIRST, { route: { parentRefs, hostnames: ["chat.example.com"], canaryMatches } }),
    );
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    const made = await routeOf(stage, "chat");
    expect(made.metadata).toMatchObject({
      labels: { "app.kubernetes.io/managed-by": "llmbridge-operator" },
      ownerReferences: [{ kind: "LLMBridge", name: "chat", controller: true }],
    });
    expect(made.spec).toMatchObject({ parentRefs, hostnames: ["chat.example.com"] });
    expect([weightsOf(made), weightsOf(made, 1)]).toEqual([[1], [100, 0]]);
    await bridge.patch({ rollout: { traffic: { route: { parentRefs, hostnames: ["ai.example.com"] } } } });
    await until("the host", async () =>
      JSON.stringify(await routeOf(stage, "chat")).includes("ai.example.com"),
    );
    const annotations = { "example.com/note": "keep" };
    await client.mergePatch(HTTP_ROUTES, stage.namespace, "chat", {
      metadata: { annotations },
      spec: { hostnames: [] },
    });
    await until("it to be restored", async () =>
      JSON.stringify(await routeOf(stage, "chat")).includes("ai.example.com"),
    );
    expect((await routeOf(stage, "chat")).metadata.annotations).toMatchObject(annotations);

    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    expect(weightsOf(await routeOf(stage, "chat"), 1)).toEqual([50, 50]);
    await client.delete(HTTP_ROUTES, stage.namespace, "chat");
    await until("it to be made again", () =>
      routeOf(stage, "chat").then(
        () => true,
        () => false,
      ),
    );
    await command({ action: "promote", revision, full: true });
    await bridge.promoted(SECOND);
    await until("the weights of rest", async () => weightsOf(await routeOf(stage, "chat"), 1)[0] === 100);
    await bridge.patch({ rollout: { traffic: { router: "Replicas", route: null } } });
    await until("no route", () =>
      routeOf(stage, "chat").then(
        () => false,
        () => true,
      ),
    );
    await bridge.waitFor("nothing told", (now) => conditionOf(now, "RouteAccepted") === undefined);
  });

  it("waits for the API, holds when it vanishes in the middle, and a canary leaves without it", async () => {
    const { client } = bed.plane;
    await removeGatewayApi(client);
    const stage = await bed.stage({ isEmpty: true });
    alone = stage;
    await stage.start({ settingsPath: routed.settings.path, namespaces: [] });
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(spec(FIRST, { route: { parentRefs } }));
    const { stable } = await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is absent", said("ApiAbsent"));
    await bridge.patch({ image: SECOND });
    await bridge.waitFor(
      "held",
      (now) => conditionOf(now, "Progressing")?.message.includes("install the Gateway API") === true,
    );

    await serveGatewayApi(client);
    gateways = await playGateways(client, stage.namespace, { public: TAKES });
    const revision = await holding(SECOND);
    await gateways.stop();
    gateways = undefined;
    await removeGatewayApi(client);
    await bridge.waitFor("told that it is absent again", said("ApiAbsent"));
    expect((await bridge.status()).phase).toBe("Holding");
    await command({ action: "abort", revision });
    await bridge.rolledBack();
    expect((await selected(stage))["chat-canary"]).toBe(stable?.revision);
    await serveGatewayApi(client);
  });

  it("is not asked for where the administrator has not enabled it", async () => {
    // The test before this one takes it away.
    await serveGatewayApi(bed.plane.client);
    const disabled = settingsFile({ sources: ROUTED_SETTINGS.sources });
    const stage = await staged({ public: TAKES }, { settingsPath: disabled.path });
    const { bridge } = stage.actor();
    await bridge.apply(spec(FIRST, { route: { parentRefs } }));
    await bridge.promoted(FIRST);
    const status = await bridge.waitFor("told so", said("NotEnabled"));
    expect(conditionOf(status, "RouteAccepted")?.message).toContain("settings.httpRoutes");
    expect(stage.proxy.requests.filter(({ resource }) => resource === "httproutes")).toEqual([]);
    disabled.write(ROUTED_SETTINGS);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    disabled.remove();
  });
});
