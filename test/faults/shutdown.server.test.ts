import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { asksForState } from "./request.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { hung } from "./strike.ts";

/** A leader that is told to end while the API server leaves it waiting gives its lease back all the same. */

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string };
}

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const spec: LLMBridgeSpecInput = storySpec(bridgeImage(1));
const [model] = spec.upstreams;
const READS: readonly [string, LLMBridgeSpecInput, (request: ProxiedRequest) => boolean][] = [
  [
    "what is taken over",
    { ...spec, takeOver: { deployment: "web", services: ["web"] } },
    ({ verb, resource }) => verb === "list" && resource === "horizontalpodautoscalers",
  ],
  [
    "the key of fingerprints",
    {
      ...spec,
      upstreams: model ? [{ ...model, secretRef: { name: "openai", key: "token", onChange: "Canary" } }] : [],
    },
    ({ verb, resource }) => verb === "get" && resource === "secrets",
  ],
  [
    "the ConfigMaps of people",
    { ...spec, pod: { envFrom: [{ configMapRef: { name: "settings" } }] } },
    // Those that are not the operator's own.
    (request) =>
      request.resource === "configmaps" && request.query.get("labelSelector")?.includes("!=") === true,
  ],
];

/** A leader, behind a proxy that lets these requests hang from the start. */
async function leading(matches: (request: ProxiedRequest) => boolean) {
  const stage = await bed.stage({ leaderElection: true, isEmpty: true });
  const rule = stage.proxy.when(matches, hung());
  await stage.start();
  await until("it leads", async () => (await holder(stage)) !== "");
  return { stage, rule };
}

async function holder(stage: Stage): Promise<string> {
  const [lease] = await stage.list<Lease>(resources.leases);
  return lease?.spec.holderIdentity ?? "";
}

describe("a leader that is told to end", () => {
  it("releases the lease while a cache cannot be filled", async () => {
    const { stage, rule } = await leading(
      (request) => asksForState(request) && request.resource === "poddisruptionbudgets",
    );
    await until("a list that hangs", () => rule.struck > 0);
    expect(await stage.end()).toBe(0);
    expect(await holder(stage)).toBe("");
    await stage.close();
  });

  it.each(READS)("releases the lease while a look at a bridge waits for %s", async (_, wanted, matches) => {
    const { stage, rule } = await leading(matches);
    await stage.actor().bridge.apply(wanted);
    await until("a read that hangs", () => rule.struck > 0);
    expect(await stage.end()).toBe(0);
    expect(await holder(stage)).toBe("");
    await stage.close();
  });
});
