import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resources } from "../../operator/kube/resources.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { run } from "../../tools/setup/command.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { clusterForSuites } from "../cluster/up.ts";
import { productImages } from "../images/all.ts";
import { type Api, Bridge, openApi } from "../scene/api.ts";
import { ensureOperator, installOperator, uninstallOperator } from "../scene/operator.ts";
import { testProgress } from "../scene/scene.ts";

/**
 * What may run on somebody's own cluster: it installs the chart, runs a bridge in a namespace of its own, and removes both again. The
 * local cluster is used unless LLMBRIDGE_KUBECONFIG names another (`make test-own-cluster`).
 */
let cluster: Cluster;
let api: Api;
let bridge: Bridge;
let image: string;
const namespace = `llmbridge-${randomBytes(3).toString("hex")}`;

beforeAll(async () => {
  cluster = await clusterForSuites({ progress: testProgress });
  api = openApi(cluster.kubeconfigPath);
  if (cluster.kind === "Local") {
    const images = await productImages(cacheRoot(process.env), testProgress);
    for (const built of images) await cluster.loadImage(built);
    await ensureOperator(cluster, api.client, images);
  } else {
    await installOperator(cluster);
  }
  image = cluster.kind === "Local" ? "llmbridge/bridge:dev" : cluster.images.bridge;
  await api.client.create(resources.namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  bridge = new Bridge(api.client, namespace, "smoke");
});

afterAll(async () => {
  await api?.client.delete(resources.namespaces, "", namespace);
  if (cluster?.kind === "External") await uninstallOperator(cluster);
  await api?.close();
});

describe("on a cluster that need not be ours", () => {
  it("installs by helm, becomes Ready, and promotes at a person's word without traffic", async () => {
    await bridge.apply({
      image,
      resources: { requests: { cpu: "20m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } },
      upstreams: [{ name: "nobody", protocol: "OpenAI", url: "http://nobody.invalid/v1" }],
      cache: { memory: { maxBytes: "8Mi" } },
      scaling: { mode: "Fixed" },
      rollout: { watchAfter: "0s" },
      replicas: 2,
    });
    const first = await bridge.promoted(image);
    await bridge.patch({ pod: { labels: { version: "second" } } });
    await bridge.waitFor("holding a canary", (status) => status.phase === "Holding");
    const kubectl = ["--kubeconfig", cluster.kubeconfigPath, "-n", namespace] as const;
    await run([process.execPath, "operator/cli/main.ts", "promote", "smoke", "--full", ...kubectl]);
    const second = await bridge.waitFor(
      "promoted",
      (status) => status.phase === "Stable" && status.stable?.revision !== first.stable?.revision,
    );
    expect(second.stable?.ready).toBe(2);
  });
});
