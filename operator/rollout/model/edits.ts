import { rollout } from "../../api/v1alpha1/rollout.ts";
import type { RolloutInput } from "../types.ts";
import type { Event } from "./events.ts";
import type { World } from "./world.ts";

/** What people, demand and the administrator change while a canary is on its way. Too many to meet every world: some rows of an exploration have them. */

const edited =
  (change: (spec: World["spec"]) => Partial<World["spec"]> | undefined): Event =>
  (world) => {
    const changed = change(world.spec);
    if (changed === undefined) return false;
    world.spec = { ...world.spec, ...changed };
    return true;
  };

const ROUTED = rollout.parse({
  traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } },
}).traffic;
const BY_PODS = rollout.parse({}).traffic;

/** Demand goes so far above what the world began with, or back. */
const demand =
  (from: number, to: number): Event =>
  (world) => {
    if (world.needed !== from) return false;
    world.needed = to;
    return true;
  };

const FROZEN: RolloutInput["fleet"] = {
  freeze: { name: "year-end", promote: "Refuse", untilMs: undefined },
  order: undefined,
  limit: undefined,
};

const STRATEGIES_AND_ROUTERS: Readonly<Record<string, Event>> = {
  "strategy BlueGreen": edited(({ strategy }) =>
    strategy === "BlueGreen" ? undefined : { strategy: "BlueGreen" },
  ),
  "strategy Canary": edited(({ strategy }) => (strategy === "Canary" ? undefined : { strategy: "Canary" })),
  "router Gateway": edited(({ traffic }) => (traffic.router === "Gateway" ? undefined : { traffic: ROUTED })),
  "router Replicas": edited(({ traffic }) =>
    traffic.router === "Replicas" ? undefined : { traffic: BY_PODS },
  ),
};

/** Beside a baseline no other strategy is accepted, and a router is not to be changed. */
export const editsOf = ({ needed, spec }: World): Readonly<Record<string, Event>> => ({
  ...(spec.baseline === "Stable" ? STRATEGIES_AND_ROUTERS : {}),
  "demand grows": demand(needed, needed + 2),
  "demand falls": demand(needed + 2, needed),
  "first step removed": edited(({ steps }) => (steps.length > 1 ? { steps: steps.slice(1) } : undefined)),
  freeze: (world) => {
    world.fleet = world.fleet === undefined ? FROZEN : undefined;
    return true;
  },
});
