import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { editsOf } from "./model/edits.ts";
import { EVENTS } from "./model/events.ts";
import { explore } from "./model/explore.ts";
import { keyOf } from "./model/key.ts";
import { ALERTS, DRAINS, FLEET, RESTARTS } from "./model/outside.ts";
import { toldApartBy } from "./model/same.ts";
import { beside, gated, small, withPlan } from "./model/small.ts";
import { stagesOf } from "./model/stages.ts";
import { copyOf, stateOf, type World } from "./model/world.ts";

const two = small(2, [50, 100]);
const routed = small(2, [50, 100], { slowGateway: true }, "Gateway");
const eventsOf = (world: World) => ({
  ...EVENTS,
  ...editsOf(world),
  ...ALERTS,
  ...FLEET,
  ...RESTARTS,
  ...DRAINS,
});

describe("worlds with the same key", () => {
  it.each<[string, World]>([
    ["by pods", two],
    ["by a gateway that lags", routed],
    ["beside a baseline", beside(two)],
    ["beside a baseline, by a gateway", beside(routed)],
    ["blue and green", withPlan(small(2, [100], { slowDrain: true }), { strategy: "BlueGreen" })],
    ["with gates outside", gated(two)],
  ])("answer every event alike: %s", (_, world) => {
    const events = eventsOf(world);
    const found: string[] = [];
    let met = 0;
    explore(stagesOf(world), {
      bound: 80,
      events,
      onSame: (one, first) => {
        met += 1;
        const by = met % 13 === 0 ? toldApartBy(one, first, events) : undefined;
        if (by) found.push(`${by} tells ${JSON.stringify(one)} from ${JSON.stringify(first)}`);
      },
    });
    expect(met).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });
});

const isTime = (value: unknown): value is string => typeof value === "string" && /^\d{4}-.*Z$/.test(value);
const minutesBefore = (time: string, minutes: number) =>
  new Date(Date.parse(time) - minutes * 60_000).toISOString();

/** Other values of a stored field, one of them that it is missing. */
function othersOf(value: unknown): unknown[] {
  if (isTime(value)) return [undefined, minutesBefore(value, 6), minutesBefore(value, 60)];
  if (typeof value === "number") return [undefined, value + 1];
  if (typeof value === "boolean") return [undefined];
  if (typeof value === "string") return [undefined, "other"];
  return [undefined];
}

/** Worlds that differ from one in a single field of what is stored, of its pods, or of what is around them. */
function neighbours(world: World): [string, World][] {
  const found: [string, World][] = [];
  const state = stateOf(world);
  // Which phase it is in goes with what is stored for it.
  for (const field of (Object.keys(state) as (keyof RolloutStatus)[]).filter((one) => one !== "phase"))
    for (const other of othersOf(state[field])) {
      const next = copyOf(world);
      next.state = { ...state, [field]: other } as RolloutStatus;
      found.push([`state.${field}`, next]);
    }
  for (const revision of Object.keys(world.revisions))
    for (const field of ["wanted", "ready", "unready", "terminating", "old"] as const) {
      const next = copyOf(world);
      const pods = next.revisions[revision];
      if (pods) pods[field] = (pods[field] ?? 0) + 1;
      found.push([`${revision}.${field}`, next]);
    }
  const around: Partial<World>[] = [
    { spec: { ...world.spec, baseline: world.spec.baseline === "Stable" ? "SameAge" : "Stable" } },
    { spec: { ...world.spec, onFailure: "Pause" } },
    { desired: "c" },
    { accepted: false },
    { needed: world.needed + 1 },
    { maxPods: world.maxPods - 1 },
    { metrics: { available: false, message: "" } },
    { traffic: false },
    { mirrored: world.mirrored + 1 },
    { refusal: "no" },
    { evictable: 1 },
    { gaveUp: !world.gaveUp },
    { services: { ...world.services, canary: ["a", "b"] } },
    { route: { ...world.route, written: 7 } },
    { beside: { ...world.beside, followed: 7 } },
    { verdicts: { kind: "NoData", message: "other" } },
  ];
  for (const change of around) found.push([Object.keys(change).join(), { ...copyOf(world), ...change }]);
  return found;
}

describe("a world that differs in a single field", () => {
  it.each<[string, World]>([
    ["by pods", two],
    ["beside a baseline, by a gateway", beside(routed)],
    ["with gates outside", gated(two)],
  ])("has another key, or answers every event alike: %s", (_, world) => {
    const alike = new Set<string>();
    for (const stage of stagesOf(world))
      for (const [field, other] of neighbours(stage)) {
        if (keyOf(other) !== keyOf(stage)) continue;
        alike.add(field);
        expect(toldApartBy(other, stage), `${field} of ${JSON.stringify(stage)}`).toBeUndefined();
      }
    const leftOut = ["stepIndex", "phaseSince", "evidenceSince", "heldFor", "timing"].map(
      (one) => `state.${one}`,
    );
    expect([...alike].filter((field) => !leftOut.includes(field))).toEqual([]);
  });

  it("has another key where a baseline was given up that its state still tells of", () => {
    const held = stagesOf(beside(two)).find((one) => stateOf(one).phase === "Holding");
    if (!held) throw new Error("it holds");
    const without = withPlan(copyOf(held), { baseline: "Stable" });
    expect(keyOf(without)).not.toBe(keyOf(held));
  });
});
