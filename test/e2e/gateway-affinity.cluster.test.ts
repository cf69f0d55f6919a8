import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADERS, ROUTES } from "../../contract/endpoints.ts";
import { until } from "../cluster/until.ts";
import { actor } from "../faults/story.ts";
import { GATEWAY, openRouted, removeGateway } from "../scene/gateway.ts";
import type { Scene } from "../scene/scene.ts";

/** Session affinity with a real gateway: clients that keep cookies ask on and on while weights move. */

const COOKIE = "chat-version";
const CLIENTS = 60;
/** Asks of all clients together a second. */
const RATE = 40;
const QUESTION = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Which version?" }] });

interface Ask {
  readonly atMs: number;
  readonly revision: string;
}

/** A browser: it keeps its cookie and asks one thing after the other. */
class Client {
  readonly asks: Ask[] = [];
  failures = 0;
  cookie: string | undefined;

  async ask(url: string): Promise<void> {
    const atMs = Date.now();
    const headers = this.cookie === undefined ? {} : { cookie: `theme=dark; ${this.cookie}` };
    const response = await fetch(`${url}${ROUTES.chat}`, { method: "POST", headers, body: QUESTION });
    await response.arrayBuffer();
    if (response.status !== 200) this.failures += 1;
    this.asks.push({ atMs, revision: response.headers.get(HEADERS.revision) ?? "" });
    const set = response.headers.getSetCookie()[0];
    if (set === undefined) return;
    this.cookie = set.includes("Max-Age=0") ? undefined : set.split(";")[0];
  }

  /** Revisions met since then, each change once. */
  since(ms: number): string[] {
    const met = this.asks.filter(({ atMs }) => atMs >= ms).map(({ revision }) => revision);
    return met.filter((one, index) => index === 0 || one !== met[index - 1]);
  }
}

let scene: Scene;
let url: string;
let first: string;
let next: string;
const clients = Array.from({ length: CLIENTS }, () => new Client());
const stop = new AbortController();
let asking: Promise<void> | undefined;
beforeAll(async () => {
  const traffic = {
    router: "Gateway" as const,
    route: { parentRefs: [GATEWAY], affinity: { cookie: COOKIE } },
  };
  const steps = [
    { name: "quarter", weight: 25, hold: "1h" },
    { name: "half", weight: 50, hold: "1h" },
    { name: "all", weight: 100, hold: "1h" },
  ];
  ({ scene, url, first, next } = await openRouted("gateway-affinity", 2, { steps, traffic }));
  asking = askOn();
});
afterAll(async () => {
  stop.abort();
  await asking;
  if (!scene) return;
  await removeGateway(scene);
  await scene.close();
});

/** All clients in turn, until the end. */
async function askOn(): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  for (let turn = 0; !stop.signal.aborted; turn += 1) {
    await Promise.all([clients[turn % CLIENTS]?.ask(url), pause(1000 / RATE)]);
  }
}

const chat = () => actor(scene.client, scene.namespace, "chat");

/** Waits until the canary is seen to serve at a step and every client has asked again since; from when on. */
async function served(weight: number): Promise<{ revision: string; sinceMs: number }> {
  const fromMs = Date.now();
  const { canary } = await scene
    .bridge()
    .waitFor(
      `seen at ${weight} %`,
      ({ phase, step, rollout }) =>
        phase === "Holding" && step?.weight === weight && rollout?.servedSince !== undefined,
    )
    .catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error} ${told(fromMs)}`);
    });
  const sinceMs = Date.now();
  await askedSince(sinceMs, 5);
  return { revision: canary?.revision ?? "", sinceMs };
}

/** What clients met since then, for the message of a failure. */
function told(sinceMs: number): string {
  const asks = clients.flatMap((client) => client.asks).filter(({ atMs }) => atMs >= sinceMs);
  const met = Object.entries(Object.groupBy(asks, ({ revision }) => revision));
  const counts = met.map(([revision, those = []]) => `${revision} ${those.length} times`);
  const cookies = clients.map(({ cookie }) => cookie?.split("=")[1] ?? "none");
  return `Clients met ${counts.join(", ") || "nobody"}; their cookies are ${cookies.join(" ")}.`;
}

/** Waits until every client has asked so often since then. */
const askedSince = (ms: number, times: number) =>
  until("every client to ask again", 60_000, async () => {
    const least = Math.min(...clients.map(({ asks }) => asks.filter(({ atMs }) => atMs >= ms).length));
    return least >= times ? undefined : `one asked ${least} times`;
  });

const noFailures = () => expect(clients.reduce((sum, { failures }) => sum + failures, 0)).toBe(0);
const met = (sinceMs: number, revision: string) =>
  clients.filter((client) => client.since(sinceMs).includes(revision));

describe("clients behind a gateway", () => {
  it("keep their version while weights move: nobody drifts, each goes over once at most, and cookies end with the rollout", async () => {
    const startedMs = Date.now();
    await scene.bridge().patch({ image: next });
    const { revision, sinceMs } = await served(25);
    // Each client has met one version alone since the weight is in force.
    expect(clients.filter((client) => client.since(sinceMs).length > 1)).toEqual([]);
    const early = met(sinceMs, revision);
    expect(early.length).toBeGreaterThan(0);
    expect(early.length).toBeLessThan(CLIENTS / 2);
    await chat().command({ action: "promote", revision, step: "quarter", id: "on" });
    const half = await served(50);
    expect(clients.filter((client) => client.since(half.sinceMs).length > 1)).toEqual([]);
    const later = met(half.sinceMs, revision);
    console.log(`of ${CLIENTS} clients ${early.length} met the canary at 25 %, ${later.length} at 50 %`);
    expect(early.filter((client) => !later.includes(client))).toEqual([]);
    expect(later.length).toBeGreaterThan(early.length);
    await chat().command({ action: "promote", revision, step: "half", id: "on-again" });
    await served(100);
    await chat().command({ action: "promote", revision, step: "all", id: "last" });
    await scene.bridge().promoted(next);
    await scene.bridge().waitFor("back at 100", ({ rollout }) => rollout?.routedWeight === 0);
    await until("no cookies", 30_000, async () => {
      const left = clients.filter(({ cookie }) => cookie !== undefined).length;
      return left === 0 ? undefined : `${left} clients have one`;
    });
    // From the stable version to the canary, and never back.
    expect(clients.filter((client) => client.since(startedMs).length > 2)).toEqual([]);
    noFailures();
  });

  it("fall back at once when their version is withdrawn", async () => {
    const { stable } = await scene.bridge().status();
    await scene.bridge().patch({ image: first });
    const { revision } = await served(25);
    const abortedMs = Date.now();
    await chat().command({ action: "abort", revision });
    await scene.bridge().rolledBack();
    const lastMs = Math.max(
      ...clients.flatMap(({ asks }) =>
        asks.filter((ask) => ask.revision === revision).map(({ atMs }) => atMs),
      ),
    );
    console.log(`abort to the last request that it got: ${((lastMs - abortedMs) / 1000).toFixed(1)} s`);
    expect(lastMs - abortedMs).toBeLessThan(10_000);
    await askedSince(Date.now(), 2);
    expect(met(Date.now() - 1000, stable?.revision ?? "").length).toBeGreaterThan(0);
    expect(clients.filter(({ cookie }) => cookie !== undefined)).toEqual([]);
    noFailures();
  });
});
