import type { HttpRoute } from "./http-route.ts";

/** Percent of the requests that a route of the operator's copies; 0: none. */
export function copiedPercent(route: HttpRoute): number {
  const filters = (route.spec?.rules ?? []).flatMap((rule) => rule.filters ?? []);
  const copies = filters.find(({ type }) => type === "RequestMirror")?.requestMirror;
  return copies === undefined ? 0 : (copies.percent ?? 100);
}
