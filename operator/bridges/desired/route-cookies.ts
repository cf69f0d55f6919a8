import {
  AFFINITY_HEADER,
  type AffinityOrder,
  type AffinityRound,
  formatAffinity,
  LOTS,
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

/** So many lots, from 1 to 50, from 99 down. 25 of them are "(7[5-9]|[8-9][0-9])". */
export function highestLots({ id }: Pick<AffinityRound, "id">, count: number): string {
  const from = LOTS - count;
  const [tens, ones] = [Math.floor(from / 10), from % 10];
  const first = ones > 0 ? tens + 1 : tens;
  const rest = ones > 0 ? [`${tens}[${ones}-9]`] : [];
  const whole = first <= 9 ? [`[${first}-9][0-9]`] : [];
  return `${id}[.](${[...rest, ...whole].join("|")})`;
}
