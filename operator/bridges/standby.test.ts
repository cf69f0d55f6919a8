import { describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeClient } from "../kube/client.ts";
import { silentLog } from "../kube/log.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Resource } from "../kube/resources.ts";
import { whenAborted } from "../kube/signals.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import type { WatchEvent } from "../kube/watch-event.ts";
import { administratorSettings } from "../settings/file.ts";
import { createCaches } from "./caches.ts";
import { createGateJobs } from "./gate-jobs.ts";
import { MANAGED_BY } from "./names.ts";
import { createPodMonitors } from "./pod-monitors.ts";

/** A standby follows everything for months and reconciles nothing. */

const COUNT = 100;

/** Of each kind a hundred objects that come, and go again. */
async function* comeAndGo({ plural }: Resource, signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
  const objects = Array.from({ length: COUNT }, (_, index): KubeObject => {
    const labels = { ...MANAGED_BY, [LABELS.bridge]: `b-${index}` };
    const resourceVersion = String(2 + index);
    return {
      metadata: { namespace: "ai", name: `b-${index}`, uid: `${plural}-${index}`, resourceVersion, labels },
    };
  });
  yield { type: "BOOKMARK", resourceVersion: "1", initialEventsEnd: true };
  for (const object of objects) yield { type: "ADDED", object };
  for (const object of objects) yield { type: "DELETED", object };
  await whenAborted(signal);
}

describe("a standby", () => {
  it("keeps no keys of bridges that come and go", async () => {
    const clock = createVirtualClock();
    const metrics = createKubeMetrics();
    const stop = new AbortController();
    const client = {
      watch: async (resource: Resource, { signal }: { signal: AbortSignal }) => comeAndGo(resource, signal),
    } as Partial<KubeClient> as KubeClient;
    const common = { client, clock, metrics, log: silentLog };
    const caches = createCaches(client, { ...common, namespace: ["ai"] });
    const settings = administratorSettings.parse({
      podMonitors: {},
      gateJobs: { allowedNamespaces: ["ai"] },
    });
    const shared = {
      ...common,
      ...{ caches, kubeMetrics: metrics, namespaces: ["ai"] },
      settings: { current: () => settings, onChange: () => {} },
    };
    const podMonitors = createPodMonitors(shared);
    const gateJobs = createGateJobs(shared);
    const following = [
      ...caches.all.map((informer) => informer.start(stop.signal)),
      podMonitors.follow(stop.signal),
      gateJobs.follow(stop.signal),
    ];
    const seen = async () => {
      // Long rows of events let the event loop turn.
      await clock.advance(1_000);
      const { values } = await metrics.watchEvents.get();
      const gone = values.filter(({ labels }) => labels.type === "DELETED");
      return Object.fromEntries(gone.map(({ labels, value }) => [labels.resource, value]));
    };
    await expect.poll(seen).toMatchObject({
      "llmbridges.llmbridge.dev": COUNT,
      "podmonitors.monitoring.coreos.com": COUNT,
      "jobs.batch": COUNT,
    });
    await clock.advance(10_000);
    const depths = (await metrics.queueDepth.get()).values;
    expect(depths.filter(({ value }) => value !== 0)).toEqual([]);
    stop.abort();
    await clock.advance(1);
    await Promise.all(following);
  });
});
