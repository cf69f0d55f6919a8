import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { HTTP_ROUTES, type HttpRoute, type ParentStatus } from "../../operator/bridges/route/http-route.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../operator/kube/errors.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import type { DesiredObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { toolPaths } from "../../tools/setup/tools.ts";
import { until } from "./until.ts";

/** Of the Gateway API, HTTPRoutes alone: what the operator uses. */
export const ROUTES_ONLY: readonly string[] = ["httproutes"];
/** With what a gateway needs. */
export const ALL_OF_IT: readonly string[] = [
  "gatewayclasses",
  "gateways",
  "httproutes",
  "grpcroutes",
  "referencegrants",
  "backendtlspolicies",
];

/** The real definitions of the standard channel. */
function definitions(kinds: readonly string[]): DesiredObject[] {
  const folder = toolPaths(cacheRoot(process.env))["gateway-api"];
  return kinds.map((kind) => definitionIn(join(folder, `gateway.networking.k8s.io_${kind}.yaml`)));
}

/** The definition that a file holds, without its prose, which is most of it and takes the API server seconds. */
export const definitionIn = (path: string): DesiredObject =>
  withoutProse(parse(readFileSync(path, "utf8"))) as DesiredObject;

function withoutProse(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutProse);
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(
    ([key, value]) => key !== "description" || typeof value !== "string",
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutProse(value)]));
}

/** Makes the definitions that are not there yet. */
export async function install(client: KubeClient, wanted: readonly DesiredObject[]): Promise<void> {
  for (const definition of wanted)
    await client
      .create(resources.customResourceDefinitions, definition, { deadlineMs: 120_000 })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
}

/** Installs the API and waits until HTTPRoutes are served. */
export async function serveGatewayApi(client: KubeClient, kinds = ROUTES_ONLY): Promise<void> {
  await install(client, definitions(kinds));
  await until(
    "the Gateway API",
    () =>
      client.list(HTTP_ROUTES).then(
        () => true,
        () => false,
      ),
    90_000,
  );
}

/** Takes the API away with all of its objects. */
export async function removeGatewayApi(client: KubeClient): Promise<void> {
  const isGone = (error: unknown): boolean => {
    if (isNotFound(error)) return true;
    throw error;
  };
  for (const { metadata } of definitions(ROUTES_ONLY)) {
    await client.delete(resources.customResourceDefinitions, "", metadata.name).catch(isGone);
    await until(`no ${metadata.name}`, () =>
      client.get(resources.customResourceDefinitions, "", metadata.name).then(() => false, isGone),
    );
  }
}

/** What a Gateway says of a route; undefined: nothing. */
export type Answer = { readonly resolved: boolean; readonly message: string } | undefined;

/**
 * Plays the controllers of Gateways, which look at every route of a namespace and report on it, as `answers` has it at that time for each Gateway by
 * its name. The reports are all that is played: the API that takes and checks them is the real one.
 */
export async function playGateways(
  client: KubeClient,
  namespace: string,
  answers: Record<string, Answer>,
): Promise<{ again(): Promise<void>; stop(): Promise<void> }> {
  const stop = new AbortController();
  const routes = createInformer<HttpRoute>({ client, resource: HTTP_ROUTES, namespace });
  const answer = async (name: string): Promise<void> => {
    const route = await client.get<HttpRoute>(HTTP_ROUTES, namespace, name);
    const parents = (route.spec?.parentRefs ?? []).flatMap((parentRef): ParentStatus[] => {
      const said = answers[parentRef.name];
      if (!said) return [];
      const condition = (type: string, isTrue: boolean, message: string) => ({
        ...{ type, message, status: isTrue ? "True" : "False", reason: isTrue ? type : "BackendNotFound" },
        observedGeneration: route.metadata.generation ?? 0,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      });
      const conditions = [
        condition("Accepted", true, ""),
        condition("ResolvedRefs", said.resolved, said.message),
      ];
      return [{ parentRef, controllerName: "example.com/gateway", conditions }];
    });
    const { uid, resourceVersion } = route.metadata;
    const metadata = { namespace, name, uid, resourceVersion };
    await client.applyStatus(HTTP_ROUTES, { metadata, status: { parents } } as DesiredObject, {
      fieldManager: "example-gateway",
    });
  };
  const report = (name: string): Promise<void> =>
    answer(name).catch((error: unknown) => {
      // A route that has changed meanwhile comes again, and one that is gone does not.
      if (!isConflict(error) && !isNotFound(error) && !stop.signal.aborted) throw error;
    });
  routes.onChange(({ kind, object }) => {
    if (kind !== "deleted") void report(object.metadata.name);
  });
  const watching = routes.start(stop.signal);
  await routes.synced();
  return {
    async again() {
      for (const { metadata } of routes.store.list()) await report(metadata.name);
    },
    async stop() {
      stop.abort();
      await watching;
    },
  };
}
