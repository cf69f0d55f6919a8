import type { RouteFacts } from "../../rollout/types.ts";
import type { AnyParentRef, HttpRoute, ParentStatus } from "./http-route.ts";

type Acceptance = Extract<RouteFacts, { kind: "Known" }>["acceptance"];

/** What a parent has to say of a route before traffic is trusted to it (Gateway API, RouteConditionType). */
const ASKED = ["Accepted", "ResolvedRefs"] as const;
/** What it must not say: that it serves the route without some of its rules. */
const PARTLY = "PartiallyInvalid";

/**
 * Whether every parent that the route names takes it as it is now: each has to report this very generation as Accepted and its references as resolved.
 * A parent that says no is told before one that has said nothing yet.
 */
export function acceptanceOf(route: HttpRoute): Acceptance {
  const parents = route.spec?.parentRefs ?? [];
  const name = `HTTPRoute "${route.metadata.name}"`;
  if (parents.length === 0)
    return { kind: "Refused", message: `${name} names no Gateway in spec.parentRefs, so nobody serves it.` };
  const answers = parents.flatMap((parent) => answersOf(route, parent));
  const refusal = answers.find(({ kind }) => kind === "Refused");
  if (refusal) return { kind: "Refused", message: `${name} is refused by ${refusal.words}` };
  const waiting = answers.find(({ kind }) => kind === "Waiting");
  if (waiting) return { kind: "Waiting", message: `${name} is not accepted yet: ${waiting.words}` };
  return { kind: "Accepted" };
}

interface Answer {
  readonly kind: Acceptance["kind"];
  readonly words: string;
}

function answersOf(route: HttpRoute, parent: AnyParentRef): Answer[] {
  const { namespace = "" } = route.metadata;
  const said = (route.status?.parents ?? []).filter(({ parentRef }) => isSame(parentRef, parent, namespace));
  const called = `${parent.kind ?? "Gateway"} ${parent.name}`;
  if (said.length === 0)
    return [
      {
        kind: "Waiting",
        words: `${called} has not reported on it; see that it exists and that its class has a controller.`,
      },
    ];
  return said.map((status) => answerOf(route, status, called));
}

function answerOf(route: HttpRoute, status: ParentStatus, called: string): Answer {
  const known = (status.conditions ?? []).filter(
    ({ observedGeneration = 0 }) => observedGeneration >= (route.metadata.generation ?? 0),
  );
  for (const type of [...ASKED, PARTLY]) {
    const condition = known.find((one) => one.type === type);
    if (!condition && type === PARTLY) continue;
    if (!condition)
      return { kind: "Waiting", words: `${called} has not reported on what it says now (${type}).` };
    if ((condition.status === "True") === (type !== PARTLY)) continue;
    const { reason = "no reason", message = "" } = condition;
    const by = status.controllerName === undefined ? "" : ` (${status.controllerName})`;
    return {
      kind: "Refused",
      words: `${called}${by}: ${type} is ${condition.status}, ${reason}: ${sentence(message)}`,
    };
  }
  return { kind: "Accepted", words: "" };
}

const sentence = (message: string): string => `${message.trim().replace(/\.+$/, "").slice(0, 300)}.`;

/** Two names of one parent; what is left out has its default in both. */
function isSame(a: AnyParentRef, b: AnyParentRef, namespace: string): boolean {
  const whole = (ref: AnyParentRef) => [
    ref.group ?? "gateway.networking.k8s.io",
    ref.kind ?? "Gateway",
    ref.namespace ?? namespace,
    ref.name,
    ref.sectionName ?? "",
    ref.port ?? "",
  ];
  return whole(a).join("\n") === whole(b).join("\n");
}
