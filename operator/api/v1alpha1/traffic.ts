import * as z from "zod";
import { duration, name, textOf } from "./scalars.ts";

/** How requests are split between the versions. */

/** A Gateway, or whatever else takes routes; the names are those of the Gateway API. */
const parentRef = z.strictObject({
  name: textOf("objectName", "Name of the Gateway.", 253),
  namespace: name("Its namespace; without one that of the bridge.", 63).optional(),
  sectionName: textOf(
    "objectName",
    "One listener of it; without one all that take the route.",
    253,
  ).optional(),
  port: z.int().min(1).max(65_535).optional().meta({ description: "Listeners on this port only." }),
});
export type ParentRef = z.infer<typeof parentRef>;

/** Clients that get the canary whatever its weight: by one header or one cookie. */
const canaryMatch = z.strictObject({
  header: textOf("headerName", "Name of a request header.", 64).optional(),
  cookie: textOf("headerName", "Name of a cookie.", 64).optional(),
  value: textOf("matchValue", "Its whole value.", 128),
});
export type CanaryMatch = z.infer<typeof canaryMatch>;

/** Clients keep their version while the weight lets them. */
const affinity = z
  .strictObject({
    cookie: textOf(
      "headerName",
      "Name of the cookie that clients are known by; another one for each bridge on the same host.",
      64,
    ).default("llmbridge-affinity"),
    maxAge: duration(
      "How long a client that does not come back is remembered; each answer renews it while a rollout is under way.",
    ).default("24h"),
  })
  .meta({
    description:
      "A client that keeps cookies stays with its version while weights move: it goes over to the canary at most once, when the weight has come to its share of the clients. Absent: each request is led anew.",
  });

const route = z
  .strictObject({
    parentRefs: z
      .array(parentRef)
      .min(1)
      .max(8)
      .meta({ description: "Gateways that the route attaches to.", "x-kubernetes-list-type": "atomic" }),
    hostnames: z
      .array(textOf("hostname", "A host name, also with a leading wildcard.", 253))
      .max(16)
      .default([])
      .meta({
        description: "Hosts that it serves; without one those of the listeners.",
        "x-kubernetes-list-type": "atomic",
      }),
    canaryMatches: z.array(canaryMatch).max(8).default([]).meta({
      description:
        "Requests that go to the canary whatever its weight, from its first ready pod on; without a canary they go to the stable version.",
      "x-kubernetes-list-type": "atomic",
    }),
    affinity: affinity.optional(),
  })
  .meta({
    description: "Router Gateway: a route that the operator makes and owns, with the name of the bridge.",
  });
export type OwnRoute = z.infer<typeof route>;

const routeRef = z
  .strictObject({
    name: textOf("objectName", "Name of the HTTPRoute, in the namespace of the bridge.", 253),
    rules: z
      .array(textOf("objectName", "Name of a rule of the route.", 253))
      .max(16)
      .default([])
      .meta({
        description: "Rules to set weights in; without one all that name both Services of the bridge.",
        "x-kubernetes-list-type": "atomic",
      }),
  })
  .meta({
    description:
      "Router Gateway: a route of yours. Only the weights of the bridge's Services in it are written, everything else stays.",
  });

export const traffic = z
  .strictObject({
    router: z.enum(["Replicas", "Gateway"]).default("Replicas").meta({
      description:
        "Replicas: traffic follows the share of pods behind the bridge's Service. Gateway: it follows the weights of an HTTPRoute (Gateway API).",
    }),
    whenTooFewPods: z.enum(["AddPods", "Exceed", "Refuse"]).default("AddPods").meta({
      description:
        "Router Replicas: when the stable version has too few pods for a weight, add stable pods, exceed the weight by one canary pod, or refuse the change.",
    }),
    route: route.optional(),
    routeRef: routeRef.optional(),
  })
  .prefault({})
  .meta({ description: "How traffic is split." });
export type Traffic = z.infer<typeof traffic>;
