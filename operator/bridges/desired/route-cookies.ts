import {
  AFFINITY_HEADER,
  type AffinityOrder,
  type AffinityRound,
  formatAffinity,
} from "../../../contract/affinity.ts";

/** How a route tells clients apart by their cookies. */

export const EVERYWHERE = { type: "PathPrefix", value: "/" };

/** One among the cookies of a request, its value an expression. */
export const cookieMatch = (cookie: string, value: string) => ({
  type: "RegularExpression",
  name: "Cookie",
  value: `(^|.*;[ ]*)${cookie}=${value}(;.*|$)`,
});

/** The pod that answers is told of the rollout. It sets the cookie: filters of single backends are what few gateways have. */
export const affinityFilters = (order: AffinityOrder): object[] => [
  {
    type: "RequestHeaderModifier",
    requestHeaderModifier: { set: [{ name: AFFINITY_HEADER, value: formatAffinity(order) }] },
  },
];

/** Every lot of a round. */
export const everyLot = ({ id }: Pick<AffinityRound, "id">): string => `${id}[.][0-9][0-9]`;

/** The canary's lots: those below the weight, which is from 1 to 99. A weight of 25 is "([0-1][0-9]|2[0-4])". */
export function canaryLots({ id, weight }: Pick<AffinityRound, "id" | "weight">): string {
  const [tens, ones] = [Math.floor(weight / 10), weight % 10];
  const whole = tens > 0 ? [`[0-${tens - 1}][0-9]`] : [];
  const rest = ones > 0 ? [`${tens}[0-${ones - 1}]`] : [];
  return `${id}[.](${[...whole, ...rest].join("|")})`;
}
