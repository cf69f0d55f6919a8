import { describe, expect, it } from "vitest";
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
import { until } from "../kube/until.ts";

/** BlueGreen by router Gateway: the real Gateway API on a real API server, where only what Gateways report is played. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const TRAFFIC = {
  route: { parentRefs: [{ name: "public" }], canaryMatches: [{ header: "x-preview", value: "1" }] },
};
const BLUE_GREEN = { strategy: "BlueGreen" as const, preview: { approval: true } };

const routed = routedSuite();

async function serving(): Promise<{ stage: Stage; first: string }> {
  const { stage } = await routed.staged({ public: TAKES });
  const { bridge } = stage.actor();
  await bridge.apply(routedSpec(FIRST, TRAFFIC, BLUE_GREEN));
  const { stable } = await bridge.promoted(FIRST);
  await bridge.waitFor("told that it is accepted", said("Accepted"));
  return { stage, first: stable?.revision ?? "" };
}

const split = async (stage: Stage) => weightsOf(await routeOf(routed, stage, "chat"), 1);
/** Writes to the route since it was made. */
const moves = (stage: Stage) =>
  stage.writes().filter(({ resource, code }) => resource === "httproutes" && code === 200).length;

describe("BlueGreen by a gateway", () => {
  it("shows the new version whole by its Service and a header, switches by one change of weights, and promotes", async () => {
    const { stage, first } = await serving();
    const { bridge, command, holding } = stage.actor();
    const before = moves(stage);
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    expect((await bridge.status()).step).toMatchObject({ name: "preview", weight: 0, needsApproval: true });
    expect(await selected(stage)).toEqual({ chat: first, "chat-production": first, "chat-canary": second });
    const route = await routeOf(routed, stage, "chat");
    expect(route.spec?.rules?.[0]?.backendRefs).toMatchObject([{ name: "chat-canary", weight: 1 }]);
    expect([await split(stage), moves(stage)]).toEqual([[100, 0], before]);
    await command({ action: "promote", revision: second, step: "preview" });
    await bridge.waitFor("switched", ({ step, phase }) => step?.name === "all" && phase === "Holding");
    expect([await split(stage), moves(stage)]).toEqual([[0, 100], before + 1]);
    await command({ action: "promote", revision: second, step: "all", id: "last" });
    await bridge.promoted(SECOND);
    await until("the weights of rest", async () => (await split(stage))[0] === 100);
    expect(moves(stage)).toBe(before + 2);
    expect(await selected(stage)).toEqual({ chat: second, "chat-production": second, "chat-canary": second });
  });

  it("is back by one change of weights, and every Service selects the stable version", async () => {
    const { stage, first } = await serving();
    const { bridge, command, holding } = stage.actor();
    const before = moves(stage);
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await command({ action: "promote", revision: second, step: "preview" });
    await bridge.waitFor("switched", ({ step, phase }) => step?.name === "all" && phase === "Holding");
    await command({ action: "abort", revision: second });
    await bridge.rolledBack();
    expect([await split(stage), moves(stage)]).toEqual([[100, 0], before + 2]);
    expect(await selected(stage)).toEqual({ chat: first, "chat-production": first, "chat-canary": first });
  });
});
