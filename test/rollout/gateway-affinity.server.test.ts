import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AFFINITY_HEADER, parseAffinity } from "../../contract/affinity.ts";
import { openRoutedBed, type RoutedBed, routedSpec, routeOf, said, TAKES } from "../faults/routed-stage.ts";
import { bridgeImage } from "../faults/story.ts";
import { until } from "../kube/until.ts";

/** Session affinity: what the operator's route says in each phase, as a real API server takes it. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const TRAFFIC = {
  route: { parentRefs: [{ name: "public" }], affinity: { cookie: "who", maxAge: "1h" } },
};

let routed: RoutedBed;
beforeAll(async () => {
  routed = await openRoutedBed();
});
afterAll(async () => routed?.down());

interface Rule {
  readonly matches?: readonly { readonly headers?: readonly { readonly value: string }[] }[];
  readonly filters?: readonly {
    readonly requestHeaderModifier?: { readonly set: readonly { readonly name: string; value: string }[] };
  }[];
  readonly backendRefs?: readonly { readonly name: string; readonly weight: number }[];
}

/** Of each rule: the cookies that it asks for, where it leads, and what the pods are told. */
function toldBy({ matches, filters, backendRefs }: Rule) {
  const header = filters?.[0]?.requestHeaderModifier?.set[0];
  return {
    cookies: matches?.[0]?.headers?.[0]?.value,
    leads: Object.fromEntries((backendRefs ?? []).map(({ name, weight }) => [name, weight])),
    order: header?.name === AFFINITY_HEADER ? parseAffinity(header.value) : undefined,
  };
}

describe("a route with affinity", () => {
  it("leads clients by their lots while a canary is under way, another round each time, and by weights alone at rest", async () => {
    const { stage, close } = await routed.staged({ public: TAKES });
    const { bridge, command, holding } = stage.actor();
    const rules = async () =>
      ((await routeOf(routed, stage, "chat")) as { spec?: { rules: readonly Rule[] } }).spec?.rules.map(
        toldBy,
      ) ?? [];
    await bridge.apply(routedSpec(FIRST, TRAFFIC));
    await bridge.promoted(FIRST);
    await bridge.waitFor("told that it is accepted", said("Accepted"));
    const atRest = {
      cookies: undefined,
      leads: { "chat-production": 100, "chat-canary": 0 },
      order: { cookie: "who" },
    };
    expect(await rules()).toEqual([atRest]);

    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const half = await rules();
    const id = half[0]?.order?.round?.id ?? "";
    const order = { cookie: "who", round: { id, canary: second, weight: 50, maxAgeSeconds: 3600 } };
    expect(id.startsWith(`${second}-`)).toBe(true);
    expect(half).toEqual([
      { cookies: `(^|.*;[ ]*)who=${id}[.]([0-4][0-9])(;.*|$)`, leads: { "chat-canary": 1 }, order },
      { cookies: `(^|.*;[ ]*)who=${id}[.][0-9][0-9](;.*|$)`, leads: { "chat-production": 1 }, order },
      { cookies: undefined, leads: { "chat-production": 50, "chat-canary": 50 }, order },
    ]);
    await command({ action: "abort", revision: second });
    await until("no lots, with the weight", async () => (await rules()).length === 1);
    await bridge.rolledBack();
    expect(await rules()).toEqual([atRest]);

    await command({ action: "retry", revision: second });
    await holding(SECOND);
    const again = (await rules())[0]?.order?.round?.id ?? "";
    expect(again.startsWith(`${second}-`) && again !== id).toBe(true);
    await command({ action: "promote", revision: second, step: "half" });
    await bridge.waitFor(
      "at its last step",
      ({ step, phase }) => step?.name === "all" && phase === "Holding",
    );
    expect(await rules()).toEqual([
      {
        cookies: undefined,
        leads: { "chat-production": 0, "chat-canary": 100 },
        order: { cookie: "who", round: { ...order.round, id: again, weight: 100 } },
      },
    ]);
    await command({ action: "promote", revision: second, step: "all", id: "last" });
    await bridge.promoted(SECOND);
    await until("the weights of rest", async () => (await rules())[0]?.leads["chat-production"] === 100);
    expect(await rules()).toEqual([atRest]);
    // Made; half and none; half, all, all without a round, and rest.
    const writes = stage.writes().filter(({ resource }) => resource === "httproutes");
    expect(writes.length).toBeLessThanOrEqual(7);
    await close();
  });
});
