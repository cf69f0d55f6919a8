import type { CanaryMatch, OwnRoute, Traffic } from "../traffic.ts";
import { type Rule, rule } from "./rule.ts";

const parentRefs = [{ name: "public" }];
const canaryMatches = [
  { header: "x-canary", value: "always" },
  { cookie: "canary", value: "always" },
];

/** Which fields go with which router. */
export const TRAFFIC_RULES: readonly Rule[] = [
  rule<Traffic>({
    id: "gateway-needs-a-route",
    path: "spec.rollout.traffic",
    validation: {
      rule: "self.router != 'Gateway' || has(self.route) != has(self.routeRef)",
      message: "Router Gateway needs either route or routeRef.",
      messageExpression:
        "'router Gateway needs exactly one of route and routeRef, but ' + (has(self.route) ? 'both are' : 'neither is') + ' set; write route with the Gateways to attach to for a route that the operator makes, or routeRef with the name of an HTTPRoute of yours.'",
    },
    check: ({ router, route, routeRef }) =>
      router !== "Gateway" || (route === undefined) !== (routeRef === undefined)
        ? undefined
        : `router Gateway needs exactly one of route and routeRef, but ${route ? "both are" : "neither is"} set; write route with the Gateways to attach to for a route that the operator makes, or routeRef with the name of an HTTPRoute of yours.`,
    accepted: { spec: { rollout: { traffic: { router: "Gateway", route: { parentRefs } } } } },
    refused: {
      spec: {
        rollout: { traffic: { router: "Gateway", route: { parentRefs }, routeRef: { name: "mine" } } },
      },
    },
    expect: "router Gateway needs exactly one of route and routeRef, but both are set",
  }),
  rule<Traffic>({
    id: "route-needs-the-gateway",
    path: "spec.rollout.traffic",
    validation: {
      rule: "self.router == 'Gateway' || !(has(self.route) || has(self.routeRef))",
      message: "route and routeRef have no effect with router Replicas.",
      messageExpression:
        "(has(self.route) ? 'route' : 'routeRef') + ' has no effect with router ' + self.router + '; set router: Gateway, or leave it out.'",
    },
    check: ({ router, route, routeRef }) =>
      router === "Gateway" || (route === undefined && routeRef === undefined)
        ? undefined
        : `${route ? "route" : "routeRef"} has no effect with router ${router}; set router: Gateway, or leave it out.`,
    accepted: {
      spec: { rollout: { traffic: { router: "Gateway", routeRef: { name: "mine", rules: ["chat"] } } } },
    },
    refused: { spec: { rollout: { traffic: { routeRef: { name: "mine" } } } } },
    expect: "routeRef has no effect with router Replicas",
  }),
  rule<Traffic>({
    id: "too-few-pods-by-replicas-only",
    path: "spec.rollout.traffic",
    validation: {
      rule: "self.router == 'Replicas' || self.whenTooFewPods == 'AddPods'",
      message: "whenTooFewPods has no effect with router Gateway.",
      messageExpression:
        "'whenTooFewPods ' + self.whenTooFewPods + ' has no effect with router ' + self.router + ', which gives any weight with any number of pods; leave it out.'",
      fieldPath: ".whenTooFewPods",
    },
    check: ({ router, whenTooFewPods }) =>
      router === "Replicas" || whenTooFewPods === "AddPods"
        ? undefined
        : `whenTooFewPods ${whenTooFewPods} has no effect with router ${router}, which gives any weight with any number of pods; leave it out.`,
    accepted: {
      spec: {
        rollout: { traffic: { router: "Gateway", route: { parentRefs, hostnames: ["*.example.com"] } } },
      },
    },
    refused: {
      spec: { rollout: { traffic: { router: "Gateway", route: { parentRefs }, whenTooFewPods: "Exceed" } } },
    },
    expect: "whenTooFewPods Exceed has no effect with router Gateway",
  }),
  rule<OwnRoute>({
    id: "affinity-has-its-own-cookie",
    path: "spec.rollout.traffic.route",
    validation: {
      rule: "!has(self.affinity) || self.canaryMatches.all(one, !has(one.cookie) || one.cookie != self.affinity.cookie)",
      message: "affinity.cookie is the cookie of a canaryMatches entry too.",
      messageExpression:
        "'affinity.cookie ' + self.affinity.cookie + ' is the cookie of a canaryMatches entry too, and would be overwritten in every client that has it; give one of them another name.'",
      fieldPath: ".affinity.cookie",
    },
    check: ({ affinity, canaryMatches }) =>
      affinity && canaryMatches.some(({ cookie }) => cookie === affinity.cookie)
        ? `affinity.cookie ${affinity.cookie} is the cookie of a canaryMatches entry too, and would be overwritten in every client that has it; give one of them another name.`
        : undefined,
    accepted: {
      spec: {
        rollout: { traffic: { router: "Gateway", route: { parentRefs, canaryMatches, affinity: {} } } },
      },
    },
    refused: {
      spec: {
        rollout: {
          traffic: {
            router: "Gateway",
            route: { parentRefs, canaryMatches, affinity: { cookie: "canary" } },
          },
        },
      },
    },
    expect: "affinity.cookie canary is the cookie of a canaryMatches entry too",
  }),
  rule<CanaryMatch>({
    id: "one-thing-to-match",
    path: "spec.rollout.traffic.route.canaryMatches[]",
    validation: {
      rule: "has(self.header) != has(self.cookie)",
      message: "Exactly one of header and cookie says what is matched.",
      messageExpression:
        "(has(self.header) ? 'both header and cookie are' : 'neither header nor cookie is') + ' set; name one of them, and make an entry of its own for the other.'",
    },
    check: ({ header, cookie }) =>
      (header === undefined) !== (cookie === undefined)
        ? undefined
        : `${header === undefined ? "neither header nor cookie is" : "both header and cookie are"} set; name one of them, and make an entry of its own for the other.`,
    accepted: {
      spec: { rollout: { traffic: { router: "Gateway", route: { parentRefs, canaryMatches } } } },
    },
    refused: {
      spec: {
        rollout: {
          traffic: { router: "Gateway", route: { parentRefs, canaryMatches: [{ value: "always" }] } },
        },
      },
    },
    expect: "neither header nor cookie is set",
  }),
];
