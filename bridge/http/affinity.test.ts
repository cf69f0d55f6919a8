import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { AFFINITY_HEADER, formatAffinity } from "../../contract/affinity.ts";
import { ROUTES } from "../../contract/endpoints.ts";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { completion, startModel } from "../testing/model.ts";
import { affinityCookie } from "./affinity.ts";

const ROUND = { id: "b2-x1", canary: "b2", weight: 25, maxAgeSeconds: 3600 };
const told = (more: object = {}) => ({
  [AFFINITY_HEADER]: formatAffinity({ cookie: "v", round: { ...ROUND, ...more } }),
});
const AT_REST = { [AFFINITY_HEADER]: formatAffinity({ cookie: "v" }) };
const lot = (set: string | undefined) => Number(/^v=b2-x1\.(\d\d);/.exec(set ?? "")?.[1]);

describe("the cookie of a response", () => {
  it("is none without the route's word, and none by a word that is not the route's", () => {
    expect(affinityCookie({}, "a1")).toBeUndefined();
    expect(affinityCookie({ [AFFINITY_HEADER]: "v; Domain=example.com" }, "a1")).toBeUndefined();
  });

  it("holds a lot of the version that answers, from its first to its last", () => {
    const of = (revision: string, random: number) => lot(affinityCookie(told(), revision, () => random));
    expect([of("b2", 0), of("b2", 0.999_999)]).toEqual([0, 24]);
    expect([of("a1", 0), of("a1", 0.999_999)]).toEqual([25, 99]);
    expect(affinityCookie(told({ weight: 100 }), "a1", () => 0)).toBeUndefined();
    expect(lot(affinityCookie(told({ weight: 100 }), "b2", () => 0.999_999))).toBe(99);
  });

  it("is the one that the client has, whoever answers, renewed", () => {
    const cookie = "theme=dark; v=b2-x1.07";
    expect(affinityCookie({ ...told(), cookie }, "a1")).toBe(
      "v=b2-x1.07; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
    );
  });

  it.each(["v=b1-x0.07", "v=b2-x1.7", "v=b2-x1.007", "v=b2-x1.0a", "v=", "xv=b2-x1.07", "v"])(
    "is a new one in place of %j",
    (cookie) => {
      expect(lot(affinityCookie({ ...told(), cookie }, "a1", () => 0))).toBe(25);
    },
  );

  it("goes over TLS alone where the client came by it", () => {
    const headers = { ...told(), "x-forwarded-proto": "https" };
    expect(affinityCookie(headers, "b2", () => 0)).toMatch(/; SameSite=Lax; Secure$/);
  });

  it("is taken back when no rollout is under way, from those who have one", () => {
    expect(affinityCookie(AT_REST, "a1")).toBeUndefined();
    expect(affinityCookie({ ...AT_REST, cookie: "v=b2-x1.07" }, "a1")).toBe(
      "v=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    );
  });
});

describe("a bridge behind a route with affinity", () => {
  let bridge: RunningBridge | undefined;
  afterEach(async () => bridge?.close());

  it("sets it on every kind of answer: JSON, a failure, and the answer to an upgrade", async () => {
    const model = await startModel(completion("hi"));
    bridge = await runBridge({ upstreams: [{ name: "openai", url: `${model.url}/v1` }] });
    const { url } = bridge;
    // The stable version of this round: no canary answers here.
    const headers = told();
    for (const path of [ROUTES.models, "/nowhere"]) {
      const [response] = (await once(get(`${url}${path}`, { headers }), "response")) as [IncomingMessage];
      response.resume();
      expect(lot(response.headers["set-cookie"]?.[0])).toBeGreaterThanOrEqual(25);
    }
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] });
    const chat = await fetch(`${url}${ROUTES.chat}`, { method: "POST", body, headers });
    expect(lot(chat.headers.getSetCookie()[0])).toBeGreaterThanOrEqual(25);
    const socket = new WebSocket(`${url.replace("http", "ws")}${ROUTES.agents}`, { headers });
    const [upgrade] = (await once(socket, "upgrade")) as [IncomingMessage];
    expect(lot(upgrade.headers["set-cookie"]?.[0])).toBeGreaterThanOrEqual(25);
    socket.terminate();
    await model.close();
  });
});
