import type { ParentRef } from "../../api/v1alpha1/traffic.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Resource } from "../../kube/resources.ts";

/** Of the Gateway API; not every cluster serves it. */
export const HTTP_ROUTES: Resource = {
  group: "gateway.networking.k8s.io",
  version: "v1",
  plural: "httproutes",
  kind: "HTTPRoute",
  namespaced: true,
};

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  /** Default 1. */
  readonly weight?: number;
}

interface RouteRule {
  readonly name?: string;
  readonly backendRefs?: readonly BackendRef[];
  readonly filters?: readonly RouteFilter[];
}

/** Of filters only copies are read. */
interface RouteFilter {
  readonly type: string;
  /** Without a percentage all requests. */
  readonly requestMirror?: { readonly backendRef: BackendRef; readonly percent?: number };
}

/** A parent as a route names it; the resource knows Gateways only, routes of others name Services too. */
export interface AnyParentRef extends ParentRef {
  readonly group?: string;
  readonly kind?: string;
}

interface RouteCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

export interface ParentStatus {
  readonly parentRef: AnyParentRef;
  readonly controllerName?: string;
  readonly conditions?: readonly RouteCondition[];
}

/** What is read of an HTTPRoute. */
export interface HttpRoute extends KubeObject {
  readonly spec?: {
    readonly parentRefs?: readonly AnyParentRef[];
    readonly rules?: readonly RouteRule[];
  };
  readonly status?: { readonly parents?: readonly ParentStatus[] };
}

/** What is known of a bridge's route; Served: the API is, whether or not there is a route. */
export type ObservedRoute =
  | { readonly kind: "Disabled" | "Unknown" }
  | { readonly kind: "Absent" | "Forbidden"; readonly message: string }
  | {
      readonly kind: "Served";
      /** The route that the spec names. */
      readonly route: HttpRoute | undefined;
      /** The route of the bridge's name, where the operator made it. */
      readonly owned: HttpRoute | undefined;
      /** Whether the administrator lets steps mirror. */
      readonly mayMirror: boolean;
    };
