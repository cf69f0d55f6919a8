import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { announced } from "../../test/kube/announced.ts";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { POD_MONITORS, removePodMonitors, servePodMonitors } from "../../test/kube/pod-monitors.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { createOptionalApis, type OptionalApisOptions } from "./optional-apis.ts";
import { resources } from "./resources.ts";
import type { ApiRequest } from "./transport.ts";

const [OPEN, CLOSED] = ["open", "closed"] as const;

let server: ApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport());
  await servePodMonitors(client);
  for (const name of [OPEN, CLOSED]) await client.create(resources.namespaces, { metadata: { name } });
});
afterAll(async () => {
  await removePodMonitors(client);
  await server?.down();
});

const put = (namespace: string, name: string) =>
  client.apply(POD_MONITORS, { metadata: { namespace, name }, spec: { selector: {} } } as never, {
    fieldManager: "test",
  });

function follow(options: Partial<OptionalApisOptions<KubeObject>>) {
  const registry = new Registry();
  const refused = new Set<string>();
  const line = server.transport();
  const ask = ({ path }: ApiRequest): void => {
    for (const namespace of refused)
      if (path.includes(`/namespaces/${namespace}/`))
        throw new ApiError("list podmonitors", 403, { message: "not allowed" });
  };
  const apis = createOptionalApis({
    client: createClient(announced(line, ask)),
    resource: POD_MONITORS,
    watchDefinition: false,
    pausesMs: [20, 100],
    metrics: createKubeMetrics(registry),
    ...options,
  });
  const stop = new AbortController();
  const kinds = () => [OPEN, CLOSED].map((namespace) => apis.availability(namespace).kind);
  return {
    ...{ apis, refused, kinds },
    start: () => apis.start(stop.signal),
    end: () => stop.abort(),
    is: (...wanted: string[]) => until(wanted.join(), () => kinds().join() === wanted.join()),
    async counts() {
      const { values } = (await registry.getSingleMetric("operator_optional_api")?.get()) ?? { values: [] };
      return Object.fromEntries(values.map(({ labels, value }) => [labels.state, value]));
    },
  };
}

it("keeps an API that one namespace refuses from no other, and uses it there once it may", async () => {
  const { apis, refused, start, end, is, counts, kinds } = follow({ namespaces: [OPEN, CLOSED, OPEN] });
  const gone: string[] = [];
  apis.onCopy((_, holds) => () => void gone.push([OPEN, CLOSED, "other"].filter(holds).join()));
  refused.add(CLOSED);
  const running = start();
  await is("Served", "Forbidden");
  expect(apis.availability(CLOSED)).toMatchObject({ message: expect.stringContaining("not allowed") });
  expect(apis.availability("other")).toEqual({ kind: "Unknown" });
  expect([apis.current(CLOSED), apis.current("other")]).toEqual([undefined, undefined]);
  expect(await counts()).toEqual({ Served: 1, Forbidden: 1, Absent: 0, Unknown: 0 });
  await put(OPEN, "one");
  await until("one", () => apis.current(OPEN)?.store.get(OPEN, "one"));
  gone.length = 0;
  refused.delete(CLOSED);
  await is("Served", "Served");
  expect([await counts(), gone]).toEqual([{ Served: 2, Forbidden: 0, Absent: 0, Unknown: 0 }, []]);
  await put(CLOSED, "two");
  await until("two", () => apis.current(CLOSED)?.store.get(CLOSED, "two"));
  end();
  await running;
  expect([kinds(), gone.toSorted()]).toEqual([
    ["Unknown", "Unknown"],
    [CLOSED, OPEN],
  ]);
});

it("follows all namespaces as one where none are named", async () => {
  const { apis, start, end, is, counts } = follow({});
  const held: string[] = [];
  apis.onCopy((_, holds) => {
    held.push([OPEN, CLOSED, "other"].filter(holds).join());
    return () => undefined;
  });
  const running = start();
  await is("Served", "Served");
  expect(apis.current(OPEN)).toBe(apis.current(CLOSED));
  expect([held, await counts()]).toEqual([
    [`${OPEN},${CLOSED},other`],
    { Served: 1, Forbidden: 0, Absent: 0, Unknown: 0 },
  ]);
  end();
  await running;
});
