import type { FleetFacts } from "../fleet/facts.ts";
import { ALL, type Event } from "./events.ts";
import { phaseOf, stateOf, type World } from "./world.ts";

/** What alerts, the administrator, other bridges and the cluster do to a rollout. Too many to meet every world: some rows of an exploration have some. */

type Events = Readonly<Record<string, Event>>;

const HOLDS = { name: "busy", message: "it is busy" };
const ASKS_BACK = { name: "bad", message: "it is bad" };

export const ALERTS: Events = {
  "alert holds": (world) => {
    if (world.alerts.hold) return false;
    world.alerts = { ...world.alerts, hold: HOLDS };
    return true;
  },
  "alert asks for a rollback": (world) => {
    if (world.alerts.rollback) return false;
    world.alerts = { ...world.alerts, rollback: { ...ASKS_BACK, sinceMs: world.nowMs } };
    return true;
  },
  "alerts end": (world) => {
    if (!world.alerts.hold && !world.alerts.rollback) return false;
    world.alerts = { hold: undefined, rollback: undefined };
    return true;
  },
};

export const REFUSALS: Events = {
  "spec refused or accepted": (world) => {
    world.accepted = !world.accepted;
    return true;
  },
};

const fleetSays =
  (facts: FleetFacts | undefined): Event =>
  (world) => {
    if (world.fleet === facts) return false;
    world.fleet = facts;
    return true;
  };

const NOTHING = { freeze: undefined, order: undefined, limit: undefined };

export const FLEET: Events = {
  "others come first": fleetSays({ ...NOTHING, order: "gateway goes first" }),
  "fleet is full": fleetSays({ ...NOTHING, limit: "one at a time" }),
  freeze: fleetSays({ ...NOTHING, freeze: { name: "year-end", promote: "Allow", untilMs: undefined } }),
  "fleet lets it": fleetSays(undefined),
};

/** The budget of the spec changes between the pods that are needed, one and two beside them, and none beside as many again. */
export const roomOf = ({ needed }: World): Events =>
  Object.fromEntries(
    [needed, needed + 1, needed + 2, 2 * needed + 1].map((most) => [
      `room for ${most}`,
      (world: World) => {
        if (world.maxPods === most) return false;
        world.maxPods = most;
        return true;
      },
    ]),
  );

const stablePods = (world: World) => world.revisions[stateOf(world).stableRevision ?? ""];

/** Pods are evicted where the disruption budget lets one go, and their Deployment makes others. */
export const RESTARTS: Events = {
  restart: (world) => {
    const { stableRevision: revision } = stateOf(world);
    const pods = stablePods(world);
    if (!revision || !pods || phaseOf(world) === "Aborting") return false;
    pods.old = pods.ready + pods.unready;
    world.command = { action: "restart", revision, id: "now" };
    return true;
  },
  evicted: (world) => {
    const pods = stablePods(world);
    if (!pods?.old || world.evictable === 0 || pods.ready <= world.needed) return false;
    world.evictable -= 1;
    pods.old -= 1;
    pods.ready -= 1;
    if (pods.ready + pods.unready < pods.wanted) pods.unready += 1;
    if (world.slowDrain) pods.terminating += 1;
    return true;
  },
};

/** Pods that were told to end are gone, where they take their time. */
export const DRAINS: Events = Object.fromEntries(
  ALL.map((revision) => [
    `gone ${revision}`,
    (world: World) => {
      const pods = world.revisions[revision];
      if (!pods?.terminating) return false;
      pods.terminating = 0;
      return true;
    },
  ]),
);
