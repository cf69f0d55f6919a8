import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announced } from "../../test/kube/announced.ts";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { cuttable } from "../../test/kube/cut.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { systemClock } from "./clock.ts";
import { ApiError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { resources } from "./resources.ts";
import { followObject, type SingleState, type SingleTiming } from "./single-object.ts";
import type { ApiRequest } from "./transport.ts";

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

const { configMaps } = resources;
const namespace = "default";
let server: ApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport());
});
afterAll(async () => server?.down());

const put = (name: string, data: object) =>
  client.apply(configMaps, { metadata: { namespace, name }, data } as never, { fieldManager: "test" });
const remove = (name: string) => client.delete(configMaps, namespace, name);

const QUICK: SingleTiming = { watchSeconds: [300, 300], silenceMs: 60_000, backoffMs: [20, 200] };

/** Follows an object over a line of its own; what it asks for and is told is kept. */
function follow(
  name: string,
  timing: Partial<SingleTiming> = {},
  ask: (request: ApiRequest) => void = () => {},
) {
  const line = cuttable(server.transport());
  const requests: ApiRequest[] = [];
  const seen: string[] = [];
  const stop = new AbortController();
  const note = (request: ApiRequest): void => {
    requests.push(request);
    ask(request);
  };
  const said = (state: SingleState<ConfigMap>): string =>
    state.kind === "Found" ? (state.object.data?.a ?? "") : state.kind;
  const ended = followObject<ConfigMap>(
    {
      client: createClient(announced(line, note)),
      ...{ resource: configMaps, namespace, name, clock: systemClock, random: () => 1 },
      metrics: createKubeMetrics(),
      timing: { ...QUICK, ...timing },
      onState: (state) => seen.push(said(state)),
    },
    stop.signal,
  );
  return {
    ...{ seen, requests, line },
    async end() {
      stop.abort();
      await ended;
    },
  };
}

describe("one object that is followed by its name", () => {
  it("is told as it is, as it changes, when it is deleted, and when it is back", async () => {
    await put("one", { a: "1" });
    const { seen, requests, end } = follow("one");
    await until("it is told", () => seen.includes("1"));
    await put("other", { a: "not this one" });
    await put("one", { a: "2" });
    await until("it is told", () => seen.includes("2"));
    await remove("one");
    await until("it is told", () => seen.includes("Missing"));
    await put("one", { a: "3" });
    await until("it is told", () => seen.includes("3"));
    expect(seen).toEqual(["1", "2", "Missing", "3"]);
    // Nothing but the name is ever asked for, and a watch of it is enough for all of this.
    expect(requests.map(({ verb }) => verb)).toEqual(["watch", "get"]);
    expect(requests[0]?.query).toMatchObject({ fieldSelector: "metadata.name=one" });
    await end();
  });

  it("is told once that it is not there, and then that it is", async () => {
    const { seen, end } = follow("later");
    await until("it is told", () => seen.length > 0);
    await put("later", { a: "1" });
    await until("it is told", () => seen.includes("1"));
    expect(seen).toEqual(["Missing", "1"]);
    await end();
  });

  it("is found as it is after a connection has broken, with nothing told twice", async () => {
    await put("cut", { a: "1" });
    const { seen, line, end } = follow("cut");
    await until("it is told", () => seen.includes("1"));
    line.cut();
    await put("cut", { a: "2" });
    line.restore();
    await until("it is told", () => seen.includes("2"));
    line.cut();
    await remove("cut");
    line.restore();
    await until("it is told", () => seen.includes("Missing"));
    expect(seen).toEqual(["1", "2", "Missing"]);
    await end();
  });

  it("is asked for ever more seldom where it may not be read, and found when it may", async () => {
    await put("locked", { a: "1" });
    let isLocked = true;
    const { seen, requests, end } = follow("locked", {}, ({ verb }) => {
      if (isLocked) throw new ApiError(`${verb} locked`, 403, { message: "not allowed" });
    });
    await until("it is told", () => requests.length >= 5);
    expect(seen).toEqual(["Forbidden"]);
    isLocked = false;
    await until("it is told", () => seen.includes("1"));
    expect(seen).toEqual(["Forbidden", "1"]);
    await end();
  });

  it("stays what it was known as while the API server is away", async () => {
    await put("kept", { a: "1" });
    let isAway = false;
    const { seen, requests, line, end } = follow("kept", {}, () => {
      if (isAway) throw new Error("away");
    });
    await until("it is told", () => seen.includes("1"));
    isAway = true;
    line.cut();
    const from = requests.length;
    await until("it is told", () => requests.length >= from + 3);
    expect(seen).toEqual(["1"]);
    isAway = false;
    line.restore();
    await put("kept", { a: "2" });
    await until("it is told", () => seen.includes("2"));
    await end();
  });

  it("is looked at anew when the server ends the watch, and told of nothing where nothing has changed", async () => {
    await put("ended", { a: "1" });
    const { seen, requests, end } = follow("ended", { watchSeconds: [1, 1] });
    await until("it is told", () => requests.filter(({ verb }) => verb === "watch").length >= 3);
    expect(seen).toEqual(["1"]);
    await end();
  });
});
