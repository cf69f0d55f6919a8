import { expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { silentLog } from "../kube/log.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createOptionalApi } from "../kube/optional-api.ts";
import { resourceName } from "../kube/resources.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { POD_MONITORS } from "./apply.ts";
import { createCaches } from "./caches.ts";
import { createConfigMaps } from "./observe/config-maps.ts";

it("what may not be read is told of where bridges are left alone for it, and of nothing else that is followed", async () => {
  const clock = createVirtualClock();
  const metrics = createKubeMetrics();
  const warned: object[] = [];
  const log = {
    ...silentLog,
    child: () => log,
    warn: (fields: object, text: string) => void (text.includes("left alone") && warned.push(fields)),
  };
  const refuse = () => Promise.reject(new ApiError("list", 403, {}));
  const client = { listPage: refuse, watch: refuse } as Partial<KubeClient> as KubeClient;
  const common = { client, clock, log, metrics };
  const gauge = async () =>
    (await metrics.namespacesRefused.get()).values.map(({ labels }) => labels.resource).sort();
  const stop = new AbortController();

  const caches = createCaches(client, common);
  const configMaps = createConfigMaps({ ...common, caches, namespaces: undefined });
  const podMonitors = createOptionalApi({ ...common, resource: POD_MONITORS, watchDefinition: true });
  const following = [configMaps.follow(stop.signal), podMonitors.start(stop.signal)];
  const answer = configMaps.read("ai", ["theirs"], stop.signal);
  await clock.advance(60_000);
  expect(await answer).toMatchObject({ theirs: { kind: "Unknown" } });
  expect(podMonitors.availability().kind).toBe("Forbidden");
  expect([await gauge(), warned]).toEqual([[], []]);

  following.push(...caches.all.map((informer) => informer.start(stop.signal)));
  await clock.advance(60_000);
  expect(await gauge()).toEqual(caches.all.map(({ resource }) => resourceName(resource)).sort());
  expect(warned).toHaveLength(caches.all.length);
  stop.abort();
  await clock.advance(1);
  await Promise.all(following);
});
