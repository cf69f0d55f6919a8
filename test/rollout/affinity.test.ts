import { describe, expect, it } from "vitest";
import { affinityCookie } from "../../bridge/http/affinity.ts";
import type { AffinityRound } from "../../contract/affinity.ts";
import type { OwnRoute } from "../../operator/api/v1alpha1/traffic.ts";
import { httpRoute } from "../../operator/bridges/desired/http-route.ts";
import { seededRandom } from "../load/random.ts";

/** The operator's route and the bridge's cookie together: clients that come again and again while weights move. */

const BRIDGE = { namespace: "ai", name: "chat", uid: "u-1" };
const ROUTE: OwnRoute = {
  parentRefs: [{ name: "public" }],
  hostnames: [],
  canaryMatches: [{ header: "x-canary", value: "always" }],
  affinity: { cookie: "who", maxAge: "1h" },
};

interface Rule {
  readonly matches: readonly { readonly headers?: readonly { name: string; value: string }[] }[];
  readonly filters?: readonly {
    readonly requestHeaderModifier: { set: readonly { name: string; value: string }[] };
  }[];
  readonly backendRefs: readonly { readonly name: string; readonly weight: number }[];
}

/** As a gateway does it: the first rule that matches, its filters, one of its backends by weight. */
function answered(rules: readonly Rule[], headers: Record<string, string>, random: () => number) {
  const rule = rules.find(({ matches }) =>
    matches.some(({ headers: asked = [] }) =>
      asked.every(({ name, value }) => new RegExp(`^(?:${value})$`).test(headers[name.toLowerCase()] ?? "")),
    ),
  );
  if (!rule) throw new Error("no rule matches");
  const all = rule.backendRefs.reduce((sum, { weight }) => sum + weight, 0);
  let place = random() * all;
  const backend = rule.backendRefs.find(({ weight }) => {
    place -= weight;
    return place < 0;
  });
  const set = rule.filters?.flatMap(({ requestHeaderModifier }) => requestHeaderModifier.set) ?? [];
  const sent = { ...headers, ...Object.fromEntries(set.map(({ name, value }) => [name, value])) };
  return { service: backend?.name, sent };
}

class Client {
  readonly met: string[] = [];
  #cookie: string | undefined;

  ask(rules: readonly Rule[], revisions: Record<string, string>, random: () => number): void {
    const cookie = this.#cookie;
    const { service = "", sent } = answered(rules, cookie ? { cookie: `theme=dark; ${cookie}` } : {}, random);
    const revision = revisions[service] ?? "nobody";
    this.met.push(revision);
    const set = affinityCookie(sent, revision, random);
    if (set?.includes("Max-Age=0")) this.#cookie = undefined;
    else if (set) this.#cookie = set.split(";")[0];
  }

  get hasCookie(): boolean {
    return this.#cookie !== undefined;
  }
}

const rulesAt = (weight: number, round?: Partial<AffinityRound>, baseline?: number): readonly Rule[] => {
  const whole = { id: "b-1", canary: "b", maxAgeSeconds: 3600, ...round, weight };
  return httpRoute(BRIDGE, ROUTE, {
    percent: weight,
    baseline,
    mirror: 0,
    round: round && weight > 0 ? whole : undefined,
  }).spec.rules as Rule[];
};

const WITH_CANARY = { "chat-production": "a", "chat-canary": "b" };
const WITHOUT = { "chat-production": "a", "chat-canary": "a" };
const PROMOTED = { "chat-production": "b", "chat-canary": "b" };

/** Clients that each ask three times at each weight. */
function visits(clients: readonly Client[], weights: readonly number[], random: () => number, id = "b-1") {
  for (const weight of weights)
    for (let times = 0; times < 3; times += 1)
      for (const client of clients) client.ask(rulesAt(weight, { id }), WITH_CANARY, random);
}

const clientsOf = (count: number) => Array.from({ length: count }, () => new Client());
const share = (clients: readonly Client[]) =>
  (100 * clients.filter(({ met }) => met.at(-1) === "b").length) / clients.length;
const changes = ({ met }: Client) => met.filter((one, index) => index > 0 && one !== met[index - 1]).length;

describe("scenario 44: a client keeps its version while weights move", () => {
  it.each([1, 5, 9, 10, 25, 30, 50, 99])("at %i%% nobody drifts, however often they ask", (weight) => {
    const random = seededRandom(weight);
    const clients = clientsOf(4000);
    visits(clients, [weight, weight, weight], random);
    expect(clients.filter((client) => changes(client) > 0)).toEqual([]);
    expect(Math.abs(share(clients) - weight)).toBeLessThan(2.5);
  });

  it("from weight to weight each client goes over once at most, and the shares are the weights", () => {
    const random = seededRandom(7);
    const clients = clientsOf(4000);
    for (const weight of [5, 25, 26, 50, 100]) {
      visits(clients, [weight], random);
      expect(Math.abs(share(clients) - weight)).toBeLessThan(2.5);
    }
    expect(clients.filter((client) => changes(client) > 1)).toEqual([]);
    // Late ones have the same chances as those who were there from the beginning.
    const late = clientsOf(4000);
    visits(late, [50, 75], random);
    expect(Math.abs(share(late) - 75)).toBeLessThan(2.5);
  });

  it("whom a gateway led past the canary draws anew, and then the share is the weight", () => {
    const random = seededRandom(11);
    const clients = clientsOf(4000);
    // It has the weight already, and the endpoints of the canary's Service from before.
    for (const client of clients) client.ask(rulesAt(25, { id: "b-1" }), WITHOUT, random);
    visits(clients, [25], random);
    expect(share(clients)).toBe(0);
    visits(clients, [25], random, "b-2");
    expect(Math.abs(share(clients) - 25)).toBeLessThan(2.5);
    expect(clients.filter((client) => changes(client) > 1)).toEqual([]);
  });

  it("a weight that goes down gives back those who came last, and takes the same ones again", () => {
    const random = seededRandom(3);
    const clients = clientsOf(500);
    visits(clients, [50], random);
    const before = clients.map(({ met }) => met.at(-1));
    visits(clients, [20, 50], random);
    expect(clients.map(({ met }) => met.at(-1))).toEqual(before);
  });

  it("an abort is for all at once, and takes the cookies back", () => {
    const random = seededRandom(5);
    const clients = clientsOf(200);
    visits(clients, [50], random);
    for (const client of clients) client.ask(rulesAt(0, {}), WITHOUT, random);
    expect(share(clients)).toBe(0);
    expect(clients.filter(({ hasCookie }) => hasCookie)).toEqual([]);
  });

  it("a promotion is for all at once, and takes the cookies back", () => {
    const random = seededRandom(5);
    const clients = clientsOf(200);
    visits(clients, [50], random);
    // At 100% until both Services are known to lead to it, and then at rest.
    for (const client of clients) client.ask(rulesAt(100), PROMOTED, random);
    for (const client of clients) client.ask(rulesAt(0), PROMOTED, random);
    expect(share(clients)).toBe(100);
    expect(clients.filter(({ hasCookie }) => hasCookie)).toEqual([]);
  });

  it("the same version tried again is another rollout: who met it then has no cookie that counts", () => {
    const random = seededRandom(9);
    const clients = clientsOf(4000);
    visits(clients, [90], random, "b-1");
    visits(clients, [10], random, "b-2");
    expect(Math.abs(share(clients) - 10)).toBeLessThan(2.5);
  });

  it("clients of a baseline are met by it alone while its weight stays, and by the stable version whatever it is", () => {
    const random = seededRandom(11);
    const clients = clientsOf(4000);
    const services = { "chat-production": "a", "chat-canary": "b", "chat-baseline": "a-baseline" };
    const asked = (weight: number, baseline: number) => {
      // Whom a client meets before its cookie counts is drawn by the weights.
      for (let times = 0; times < 4; times += 1)
        for (const client of clients) client.ask(rulesAt(weight, { id: "b-1" }, baseline), services, random);
      const last = clients.map(({ met }) => met.slice(-3));
      const share = (of: string) => (100 * last.filter(([one]) => one === of).length) / clients.length;
      expect(last.filter((met) => new Set(met).size > 1)).toEqual([]);
      expect(Math.abs(share("a-baseline") - baseline)).toBeLessThan(2.5);
      expect(Math.abs(share("b") - weight)).toBeLessThan(2.5);
    };
    for (const [weight, baseline] of [
      [5, 5],
      [25, 25],
      [33, 33],
      [50, 25],
      [75, 13],
      [99, 1],
    ] as const)
      asked(weight, baseline);
    const versions = clients.map(({ met }) => met.map((one) => one.replace("-baseline", "")));
    const changes = versions.map(
      (met) => met.filter((one, index) => index > 0 && one !== met[index - 1]).length,
    );
    expect(Math.max(...changes)).toBe(1);
  });
});
