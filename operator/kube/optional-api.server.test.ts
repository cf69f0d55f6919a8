import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { announced } from "../../test/kube/announced.ts";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { cuttable } from "../../test/kube/cut.ts";
import { POD_MONITORS, removePodMonitors, servePodMonitors } from "../../test/kube/pod-monitors.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { type Availability, createOptionalApi, type OptionalApiOptions } from "./optional-api.ts";
import { resourceName, resources } from "./resources.ts";
import type { ApiRequest } from "./transport.ts";

const API = resourceName(POD_MONITORS);
const DEFINITIONS = resourceName(resources.customResourceDefinitions);

let server: ApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport());
});
afterAll(async () => server?.down());
afterEach(() => removePodMonitors(client));

const put = (name: string, finalizers: readonly string[] = []) => {
  const monitor = { metadata: { namespace: "default", name, finalizers }, spec: { selector: {} } } as never;
  return client.apply(POD_MONITORS, monitor, { fieldManager: "test" });
};

/** Follows the API over a line of its own, and records what is seen of it and when it is asked for. */
function follow(options: Partial<OptionalApiOptions<KubeObject>> = {}) {
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const line = cuttable(server.transport());
  const asked: { readonly resource: string; readonly atMs: number }[] = [];
  const forbidden = new Set<string>();
  const ask = ({ resource }: ApiRequest): void => {
    asked.push({ resource, atMs: performance.now() });
    if (forbidden.has(resource)) throw new ApiError(`watch ${resource}`, 403, { message: "not allowed" });
  };
  const api = createOptionalApi({
    client: createClient(announced(line, ask)),
    resource: POD_MONITORS,
    watchDefinition: true,
    pausesMs: [20, 60_000],
    random: () => 1,
    metrics,
    ...options,
  });
  const seen: string[] = [];
  api.onAvailability(() => seen.push(api.availability().kind));
  api.onCopy((copy) => {
    const end = copy.onChange(({ kind, object }) => seen.push(`${kind} ${object.metadata.name}`));
    return () => {
      end();
      seen.push("let go");
    };
  });
  let stop = new AbortController();
  let running = Promise.resolve();
  return {
    ...{ api, seen, line, forbidden },
    start() {
      stop = new AbortController();
      running = api.start(stop.signal);
    },
    async end() {
      stop.abort();
      await running;
    },
    is: (kind: Availability["kind"]) => until(kind, () => api.availability().kind === kind),
    has: (name: string) => until(name, () => api.current()?.store.get("default", name)),
    tries: () => asked.filter(({ resource }) => resource === API).map(({ atMs }) => atMs),
    async gauges() {
      const { values } = (await registry.getSingleMetric("operator_optional_api")?.get()) ?? { values: [] };
      return values.filter(({ value }) => value === 1).map(({ labels }) => labels.state);
    },
  };
}

describe("an optional API of which the definition is watched", () => {
  it("is asked for only when it is there, let go when it vanishes, and held anew when it comes back", async () => {
    const { api, seen, start, end, is, has, tries, gauges } = follow();
    start();
    await is("Absent");
    expect(api.current()).toBeUndefined();
    expect(await gauges()).toEqual(["Absent"]);
    expect(tries()).toEqual([]);
    await servePodMonitors(client);
    await is("Served");
    await put("one");
    await has("one");
    await removePodMonitors(client);
    await is("Absent");
    expect(api.current()).toBeUndefined();
    await servePodMonitors(client);
    await is("Served");
    expect(api.current()?.store.size).toBe(0);
    expect(await gauges()).toEqual(["Served"]);
    await put("two");
    await has("two");
    // Its objects may go with it before their deletions are told.
    expect(seen.filter((one) => /^(Absent|Served|added)/.test(one))).toEqual([
      ...["Absent", "Served", "added one"],
      ...["Absent", "Served", "added two"],
    ]);
    await end();
    expect(api.current()).toBeUndefined();
    expect(api.availability().kind).toBe("Unknown");
  });

  it("is let go as soon as its definition is being deleted, however long that takes", async () => {
    await servePodMonitors(client);
    const { api, start, end, is, has } = follow();
    start();
    await is("Served");
    await put("one", ["example.com/slow"]);
    await has("one");
    await client.delete(resources.customResourceDefinitions, "", API);
    await is("Absent");
    expect(api.current()).toBeUndefined();
    expect(await client.list(POD_MONITORS)).toHaveLength(1);
    await put("one");
    await removePodMonitors(client);
    await servePodMonitors(client);
    await is("Served");
    await end();
  });

  it("is another API under another definition, though nobody saw the first one go", async () => {
    await servePodMonitors(client);
    const { api, line, start, end, is, has } = follow();
    start();
    await is("Served");
    await put("one");
    await has("one");
    line.cut();
    await removePodMonitors(client);
    await servePodMonitors(client);
    await put("two");
    // What is held is as old as the line.
    expect(api.current()?.store.get("default", "one")).toBeDefined();
    line.restore();
    await has("two");
    expect(api.current()?.store.get("default", "one")).toBeUndefined();
    await end();
  });

  it("is tried all the same where the definition may not be watched", async () => {
    const { forbidden, start, end, is } = follow();
    forbidden.add(DEFINITIONS);
    start();
    await is("Absent");
    await servePodMonitors(client);
    await is("Served");
    await end();
  });
});

describe("an optional API by itself", () => {
  it("is tried again with pauses that grow, used when it appears, and let go when it vanishes", async () => {
    const { api, seen, start, end, is, has, tries } = follow({ watchDefinition: false });
    start();
    await until("five tries", () => tries().length >= 5);
    const gaps = tries().flatMap((atMs, index, all) => (index === 0 ? [] : [atMs - (all[index - 1] ?? 0)]));
    for (const [index, leastMs] of [20, 40, 80, 160].entries())
      expect(gaps[index]).toBeGreaterThanOrEqual(leastMs - 1);
    await servePodMonitors(client);
    await is("Served");
    await put("one");
    await has("one");
    await removePodMonitors(client);
    await is("Absent");
    expect(api.current()).toBeUndefined();
    expect(seen.at(-1)).toBe("Absent");
    await end();
  });

  it("is not used while it may not be, says so in the server's words, and is when it may", async () => {
    await servePodMonitors(client);
    const { api, forbidden, start, end, is } = follow({ watchDefinition: false });
    forbidden.add(API);
    start();
    await is("Forbidden");
    expect(api.availability()).toMatchObject({ message: expect.stringContaining("not allowed") });
    expect(api.current()).toBeUndefined();
    forbidden.delete(API);
    await is("Served");
    await end();
  });

  it("keeps its copy while the API server cannot be reached", async () => {
    await servePodMonitors(client);
    const { api, line, seen, start, end, is, has } = follow({ watchDefinition: false });
    start();
    await is("Served");
    await put("one");
    await has("one");
    line.cut();
    await put("two");
    line.restore();
    await has("two");
    expect(seen).toEqual(["Served", "added one", "added two"]);
    expect(api.availability()).toEqual({ kind: "Served" });
    await end();
  });

  it("goes on whatever those who are told of it do", async () => {
    await servePodMonitors(client);
    const { api, seen, start, end, is } = follow();
    const fail = () => {
      throw new Error("a handler that fails");
    };
    const heard: string[] = [];
    api.onAvailability(fail);
    api.onCopy(fail);
    api.onCopy(() => fail);
    api.onAvailability(() => heard.push(api.availability().kind));
    start();
    await is("Served");
    await removePodMonitors(client);
    await is("Absent");
    expect(heard.at(-1)).toBe("Absent");
    await end();
    expect(seen).toContain("let go");
  });

  it("may be followed again after its end", async () => {
    await servePodMonitors(client);
    const { seen, start, end, is } = follow();
    start();
    await is("Served");
    await end();
    start();
    await is("Served");
    await end();
    expect(seen).toEqual(["Served", "let go", "Unknown", "Served", "let go", "Unknown"]);
  });
});
