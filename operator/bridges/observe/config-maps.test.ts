import { afterEach, expect, it } from "vitest";
import type { KubeClient, ListOptions } from "../../kube/client.ts";
import { ApiError } from "../../kube/errors.ts";
import { silentLog } from "../../kube/log.ts";
import { createKubeMetrics } from "../../kube/metrics.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type Change, createStore } from "../../kube/store.ts";
import { createVirtualClock } from "../../kube/virtual-clock.ts";
import { BY_CONFIG_MAP, type Caches, configMapIndex } from "../caches.ts";
import { createConfigMaps } from "./config-maps.ts";

/** With a real server: test/faults/config-maps.server.test.ts. */

const stop = new AbortController();
afterEach(() => stop.abort());

const bridge = (resourceVersion: string, ...names: string[]): KubeObject =>
  ({
    metadata: { name: "chat", namespace: "ai", uid: "u", resourceVersion },
    spec: { pod: { envFrom: names.map((name) => ({ configMapRef: { name } })) } },
  }) as KubeObject;

it("what a ConfigMap says is read once, and kept only as long as a bridge names it", async () => {
  const reads: string[] = [];
  const store = createStore<KubeObject>({ [BY_CONFIG_MAP]: configMapIndex });
  let tell: (change: Change<KubeObject>) => void = () => {};
  const bridges = {
    store,
    onChange(handler: typeof tell) {
      tell = handler;
    },
  };
  const show = (object: KubeObject) => store.set(object).forEach(tell);
  const item = (name: string) => ({ metadata: { name, namespace: "ai", uid: name, resourceVersion: "1" } });
  const client = {
    listPage: async () => ({ items: ["a", "b"].map(item), resourceVersion: "1", continueToken: undefined }),
    async watch(_: unknown, options: ListOptions & { initialEvents?: true }) {
      if (options.initialEvents) throw new ApiError("watch", 422, {});
      return new Promise((__, reject) =>
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason)),
      );
    },
    async get(_: unknown, __: string, name: string) {
      reads.push(name);
      return { ...item(name), data: { of: name } };
    },
  } as Partial<KubeClient> as KubeClient;
  const clock = createVirtualClock();
  const configMaps = createConfigMaps({
    ...{ client, clock, log: silentLog, metrics: createKubeMetrics() },
    caches: { bridges } as unknown as Pick<Caches, "bridges">,
  });
  void configMaps.follow(stop.signal);
  const read = async () => {
    const readings = configMaps.read("ai", ["a", "b"], stop.signal);
    await clock.advance(0);
    return readings;
  };

  show(bridge("1", "a", "b"));
  expect(await read()).toMatchObject({ a: { data: { of: "a" } }, b: { data: { of: "b" } } });
  await read();
  expect(reads).toEqual(["a", "b"]);
  show(bridge("2", "b"));
  show(bridge("3", "a", "b"));
  await read();
  expect(reads).toEqual(["a", "b", "a"]);
  for (const change of store.remove(bridge("3"))) tell(change);
  show(bridge("4", "a", "b"));
  await read();
  expect(reads).toEqual(["a", "b", "a", "a", "b"]);
});
