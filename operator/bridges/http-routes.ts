import type { Traffic } from "../api/v1alpha1/traffic.ts";
import type { KubeClient } from "../kube/client.ts";
import { type Clock, systemClock } from "../kube/clock.ts";
import type { Informer } from "../kube/informer.ts";
import type { Log } from "../kube/log.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { controllerOf, formatKey, keyOf, type ObjectKey } from "../kube/object.ts";
import { createOptionalApis } from "../kube/optional-apis.ts";
import type { AdministratorSettings } from "../settings/file.ts";
import type { SettingsFile } from "../settings/watch.ts";
import { BY_ROUTE, type Caches, usesRoute } from "./caches.ts";
import { canonicalJson } from "./canonical.ts";
import type { BridgeRef } from "./names.ts";
import { HTTP_ROUTES, type HttpRoute, type ObservedRoute } from "./route/http-route.ts";
import { childFacts } from "./triggers.ts";
import { runWhileWanted } from "./while-wanted.ts";

export interface HttpRoutesOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly settings: SettingsFile;
  /** Namespaces that are watched. Default: all; then the definition of the API is watched too. */
  readonly namespaces?: readonly string[] | undefined;
  readonly kubeMetrics: KubeMetrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Follows the HTTPRoutes of the Gateway API, where the administrator lets bridges use them and the API is served. While nobody may use them the API
 * server is asked for nothing. What becomes of the API fails no pass: a bridge sees that its route cannot be known, and holds.
 */
export interface HttpRoutes {
  /** A bridge's route by its spec, and the one that the operator made for it. */
  look(bridge: BridgeRef, traffic: Traffic): ObservedRoute;
  /** Calls the listener when there may be something else to see for a bridge. */
  onChange(listener: (key: ObjectKey) => void): void;
  /** Hands over each copy of the routes before it fills; what is returned is called when it is let go. */
  onCopy(handler: (copy: Informer<HttpRoute>) => () => void): void;
  /** Follows the settings and the API until the signal aborts; never rejects. May be called once. */
  follow(signal: AbortSignal): Promise<void>;
}

export function createHttpRoutes(options: HttpRoutesOptions): HttpRoutes {
  const { client, caches, settings, namespaces, kubeMetrics: metrics, log, clock = systemClock } = options;
  const listeners: ((key: ObjectKey) => void)[] = [];
  const isWanted = ({ httpRoutes }: AdministratorSettings): boolean => httpRoutes !== undefined;
  const api = createOptionalApis<HttpRoute>({
    ...{ client, clock, log, metrics, resource: HTTP_ROUTES, namespaces },
    watchDefinition: namespaces === undefined,
  });
  const tell = (key: ObjectKey): void => {
    for (const listener of listeners) listener(key);
  };
  const tellAll = (): void => {
    for (const bridge of caches.bridges.store.list()) if (usesRoute(bridge)) tell(keyOf(bridge));
  };
  api.onAvailability(tellAll);
  api.onCopy((copy) =>
    copy.onChange((change) => {
      if (change.kind === "updated" && factsOf(change.previous) === factsOf(change.object)) return;
      for (const bridge of caches.bridges.store.byIndex(BY_ROUTE, formatKey(keyOf(change.object))))
        tell(keyOf(bridge));
    }),
  );

  return {
    look(bridge, traffic) {
      if (!isWanted(settings.current())) return { kind: "Disabled" };
      const availability = api.availability(bridge.namespace);
      const copy = api.current(bridge.namespace);
      if (availability.kind === "Absent" || availability.kind === "Forbidden") return availability;
      if (!copy) return { kind: "Unknown" };
      const named = (name: string): HttpRoute | undefined => copy.store.get(bridge.namespace, name);
      const mine = named(bridge.name);
      const owned = mine && controllerOf(mine)?.uid === bridge.uid ? mine : undefined;
      return {
        kind: "Served",
        owned,
        route: traffic.routeRef ? named(traffic.routeRef.name) : owned,
        mayMirror: settings.current().httpRoutes?.mirroring === "Allowed",
      };
    },
    onChange: (listener) => void listeners.push(listener),
    onCopy: api.onCopy,
    follow: (signal) => runWhileWanted({ settings, isWanted, start: api.start, onTurn: tellAll }, signal),
  };
}

/** What decisions rest on: unlike that of other children, a route's status. */
const factsOf = (route: HttpRoute): string =>
  canonicalJson([childFacts(route), route.status, route.metadata.generation]);
