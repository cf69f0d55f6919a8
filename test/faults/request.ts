import type { IncomingMessage } from "node:http";

/** What a request asks of the API server, in the words of its audit log. */
export interface KubeRequest {
  /** get, list, watch, create, update, patch, delete or deletecollection. */
  readonly verb: string;
  /** Plural name, with the subresource behind a slash: `deployments`, `llmbridges/status`. Empty for paths of no resource. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly userAgent: string;
}

const VERBS: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };

/** Reads verb and resource from method and path: `/api/v1/...` and `/apis/GROUP/VERSION/...`. */
export function kubeRequest(request: Pick<IncomingMessage, "method" | "url" | "headers">): KubeRequest {
  const url = new URL(request.url ?? "/", "https://server");
  const method = request.method ?? "GET";
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const rest = parts[0] === "api" ? parts.slice(2) : parts[0] === "apis" ? parts.slice(3) : [];
  // `namespaces/x` alone is the namespace itself; with more behind it, it is where the rest lives.
  const inNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [plural = "", name = "", subresource] = inNamespace ? rest.slice(2) : rest;
  const named = name !== "";
  const read = url.searchParams.get("watch") ? "watch" : named ? "get" : "list";
  return {
    verb:
      method === "GET"
        ? read
        : method === "DELETE"
          ? named
            ? "delete"
            : "deletecollection"
          : (VERBS[method] ?? method.toLowerCase()),
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    namespace: inNamespace ? (rest[1] ?? "") : "",
    name,
    path: url.pathname,
    query: url.searchParams,
    userAgent: String(request.headers["user-agent"] ?? ""),
  };
}

/** Whether it asks for all that is there: a list, or a watch that begins with one. */
export const asksForState = ({ verb, query }: KubeRequest): boolean =>
  verb === "list" || (verb === "watch" && query.get("sendInitialEvents") === "true");

/** The same list as it was at a version; of a list by pages, the pages after the first are of that version by themselves. */
export function asOf({ path, query }: KubeRequest, resourceVersion: string): string {
  const changed = new URLSearchParams(query);
  if (!changed.has("continue")) {
    changed.set("resourceVersion", resourceVersion);
    changed.set("resourceVersionMatch", "Exact");
  }
  return `${path}?${changed}`;
}

/** Matches the first request for the state of each resource from now on. */
export function firstLooks(): (request: KubeRequest) => boolean {
  const looked = new Set<string>();
  return (request) => {
    if (!asksForState(request) || looked.has(request.resource)) return false;
    looked.add(request.resource);
    return true;
  };
}

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);

export const isWrite = ({ verb }: KubeRequest): boolean => WRITES.has(verb);
