import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  openRoutedBed,
  ROUTED_SETTINGS,
  type RoutedBed,
  routedSpec,
  routeOf,
  said,
  selected,
  TAKES,
} from "../faults/routed-stage.ts";
import { settingsFile } from "../faults/settings-file.ts";
import { bridgeImage } from "../faults/story.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";

/** A step that mirrors: the route that a real API server takes. How a real gateway copies is tried by test/e2e/mirroring.optional.test.ts. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const TRAFFIC = { route: { parentRefs: [{ name: "public" }] } };
const STEPS = [
  { name: "copies", weight: 0, mirror: 10, hold: "1h" },
  { name: "all", weight: 100, hold: "1h" },
];
const MODEL_PATHS = ["/v1/chat/completions", "/v1/embeddings"];

let routed: RoutedBed;
beforeAll(async () => {
  routed = await openRoutedBed();
});
afterAll(async () => routed?.down());

interface Rule {
  readonly matches: readonly { readonly path: { readonly type: string; readonly value: string } }[];
  readonly filters?: readonly object[];
  readonly backendRefs: readonly { readonly name: string; readonly weight: number }[];
}

describe("a step that mirrors", () => {
  it("waits for the administrator, copies model requests alone while the weight stays 0, and ends with the step and with an abort", async () => {
    const settings = settingsFile(ROUTED_SETTINGS);
    const { stage, close } = await routed.staged({ public: TAKES }, { settingsPath: settings.path });
    const { bridge, command, holding } = stage.actor();
    const rules = async () => {
      const { spec } = await routeOf(routed, stage, "chat");
      return (spec?.rules ?? []) as readonly Rule[];
    };
    const isMirrored = async () => JSON.stringify(await rules()).includes("RequestMirror");
    await bridge.apply(routedSpec(FIRST, TRAFFIC, { steps: STEPS }));
    const { stable } = await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    await bridge.patch({ image: SECOND });
    await bridge.waitFor(
      "held",
      (now) => conditionOf(now, "Progressing")?.message.includes("mirroring: Allowed") === true,
    );
    expect(await isMirrored()).toBe(false);

    settings.write({ ...ROUTED_SETTINGS, httpRoutes: { mirroring: "Allowed" } });
    const second = await holding(SECOND);
    await until("the copies", isMirrored);
    const split = [
      { name: "chat-production", weight: 100 },
      { name: "chat-canary", weight: 0 },
    ];
    expect(await rules()).toMatchObject([
      {
        matches: MODEL_PATHS.map((value) => ({ path: { type: "Exact", value } })),
        filters: [
          { type: "RequestMirror", requestMirror: { backendRef: { name: "chat-canary" }, percent: 10 } },
        ],
        backendRefs: split,
      },
      { matches: [{ path: { type: "PathPrefix", value: "/" } }], backendRefs: split },
    ]);
    expect(await selected(stage)).toMatchObject({
      "chat-production": stable?.revision,
      "chat-canary": second,
    });
    expect((await bridge.status()).canary).toMatchObject({ desiredWeight: 0 });
    await command({ action: "abort", revision: second });
    await until("no copies", async () => !(await isMirrored()));
    await bridge.rolledBack();

    await command({ action: "retry", revision: second });
    await holding(SECOND);
    await until("the copies again", isMirrored);
    await command({ action: "promote", revision: second, step: "copies" });
    await bridge.waitFor(
      "at its last step",
      ({ step, phase }) => step?.name === "all" && phase === "Holding",
    );
    expect(await isMirrored()).toBe(false);
    await close();
    settings.remove();
  });
});
