import type { Context, Router } from "../../context.ts";
import { gateway } from "../gateway.ts";

/** How much longer than a gateway in the cluster it takes, from what it has accepted to what it does. */
const LATER_MS = 25_000;

/**
 * A load balancer outside of the cluster that is programmed by routes. It splits by weights as every gateway does, but follows them half a minute
 * late, so whatever rests on its having followed waits longer.
 */
export const balancer: Router = {
  ...gateway,
  settlesAtMs(context) {
    const atMs = gateway.settlesAtMs(context);
    return atMs === undefined ? undefined : atMs + LATER_MS;
  },
  // The promoted version's first Service gets its traffic back once the balancer knows its new endpoints.
  routeWeight: (context) =>
    context.state.phase === "Promoting" && !hasFollowed(context) ? 100 : gateway.routeWeight(context),
  // Pods of a canary that leaves, and of its baseline, end when nobody is led to them any more.
  hasLeft: (context) =>
    gateway.hasLeft(context) && (context.state.evidenceSince === undefined || hasFollowed(context)),
  baselineLeftAtMs: (context) => gateway.baselineLeftAtMs(context) + LATER_MS,
};

const hasFollowed = (context: Context): boolean =>
  context.nowMs >= (balancer.settlesAtMs(context) ?? Number.POSITIVE_INFINITY);
