import { afterAll, afterEach, beforeAll } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { HTTP_ROUTES, type HttpRoute } from "../../operator/bridges/route/http-route.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Answer, playGateways, serveGatewayApi } from "../kube/gateway-api.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import type { ControlPlaneOptions } from "./control-plane.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { storySpec } from "./story.ts";

/** A control plane with the Gateway API, where only what Gateways report is played. */
export interface RoutedBed {
  readonly bed: Bed;
  readonly settings: TestSettings;
  /** Opens a stage whose Gateways answer so, by their names; ended with `close`. */
  staged(answers: Record<string, Answer>, options?: Parameters<Stage["start"]>[0]): Promise<RoutedStage>;
  down(): Promise<void>;
}

export interface RoutedStage {
  readonly stage: Stage;
  readonly gateways: Awaited<ReturnType<typeof playGateways>>;
  close(): Promise<void>;
}

/** Settings that allow routes, and a metric source that does not answer. */
export const ROUTED_SETTINGS = {
  sources: [{ name: "default", url: "http://127.0.0.1:9" }],
  httpRoutes: {},
};
/** A Gateway that takes the route as it is. */
export const TAKES: Answer = { resolved: true, message: "" };

export async function openRoutedBed(options: ControlPlaneOptions = {}): Promise<RoutedBed> {
  const bed = await openBed(options);
  await serveGatewayApi(bed.plane.client);
  const settings = settingsFile(ROUTED_SETTINGS);
  return {
    bed,
    settings,
    async staged(answers, options = {}) {
      const stage = await bed.stage({ isEmpty: true });
      const gateways = await playGateways(bed.plane.client, stage.namespace, answers);
      await stage.start({ settingsPath: settings.path, ...options });
      return {
        stage,
        gateways,
        async close() {
          await gateways.stop();
          await stage.close();
        },
      };
    },
    async down() {
      settings.remove();
      await bed.down();
    },
  };
}

/** A routed bed for the tests of one file, and stages that end with the test that opened them. To be called where hooks are registered. */
export function routedSuite(): Omit<RoutedBed, "down"> {
  let routed: RoutedBed | undefined;
  const open = new Set<RoutedStage>();
  const there = (): RoutedBed => {
    if (!routed) throw new Error("the bed is there when a test begins");
    return routed;
  };
  beforeAll(async () => {
    routed = await openRoutedBed();
  });
  afterEach(async () => {
    for (const one of open) await one.close();
    open.clear();
  });
  afterAll(async () => routed?.down());
  return {
    get bed() {
      return there().bed;
    },
    get settings() {
      return there().settings;
    },
    async staged(answers, options) {
      const stage = await there().staged(answers, options);
      open.add(stage);
      return stage;
    },
  };
}

type RolloutInput = NonNullable<LLMBridgeSpecInput["rollout"]>;

/** The story's spec by router Gateway. */
export function routedSpec(
  image: string,
  traffic: NonNullable<RolloutInput["traffic"]>,
  rollout: RolloutInput = {},
): LLMBridgeSpecInput {
  const told = storySpec(image);
  return {
    ...told,
    rollout: { ...told.rollout, ...rollout, traffic: { router: "Gateway", ...traffic } },
  };
}

export const routeOf = (
  { bed }: Pick<RoutedBed, "bed">,
  { namespace }: Stage,
  name: string,
): Promise<HttpRoute> => bed.plane.client.get<HttpRoute>(HTTP_ROUTES, namespace, name);

/** Weights of a rule's backends, in their order. */
export const weightsOf = (route: HttpRoute, rule = 0): (number | undefined)[] =>
  (route.spec?.rules?.[rule]?.backendRefs ?? []).map(({ weight }) => weight);

/** The revision that each Service selects. */
export async function selected(stage: Stage): Promise<Record<string, string | undefined>> {
  const services = await stage.list<KubeObject & { spec: { selector: Record<string, string> } }>(
    resources.services,
  );
  return Object.fromEntries(
    services.map(({ metadata, spec }) => [metadata.name, spec.selector["llmbridge.dev/revision"]]),
  );
}

/** Whether the condition RouteAccepted gives this reason. */
export const said = (reason: string) => (status: LLMBridgeStatus) =>
  conditionOf(status, "RouteAccepted")?.reason === reason;
