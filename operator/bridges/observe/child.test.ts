import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { KubeObject } from "../../kube/object.ts";
import { bridgeConfigFile } from "../desired/config.ts";
import { keptConfigMap, revisionConfigMap } from "../desired/configmaps.ts";
import { networkPolicy, podDisruptionBudget, service, serviceAccount } from "../desired/fixed.ts";
import { differenceOf } from "../difference.ts";
import type { ChildObject, RequiredKind } from "../plan.ts";
import { childFacts } from "../triggers.ts";
import { slimChild } from "./child.ts";

const bridge = { namespace: "ai", name: "chat", uid: "b-1" };

/** As the API server answers: with what it adds by itself. */
function stored(object: ChildObject, more: object = {}): KubeObject {
  const spec = "spec" in object ? { spec: { ...(object.spec as object), clusterIP: "10.0.0.1" } } : {};
  const metadata = { ...object.metadata, uid: "u-1", resourceVersion: "7", managedFields: [{}] };
  const status = { status: { loadBalancer: {} } };
  return { ...object, ...spec, ...status, metadata, ...more };
}

const slim = (kind: RequiredKind, object: KubeObject) => slimChild(kind, object) as unknown as ChildObject;

const CHILDREN: readonly (readonly [RequiredKind, ChildObject])[] = [
  ["services", service(bridge, "chat", ["a"])],
  ["serviceaccounts", serviceAccount(bridge)],
  ["poddisruptionbudgets", podDisruptionBudget(bridge)],
  ["networkpolicies", networkPolicy(bridge)],
];

describe("a child in its cache", () => {
  it.each(CHILDREN)("of %s is as it should be when the stored one is", (resource, object) => {
    expect(differenceOf({ resource, object }, slim(resource, stored(object)))).toEqual([]);
  });

  it.each(CHILDREN)("of %s is not when the stored one says something else", (resource, object) => {
    const labels = { ...object.metadata.labels, "app.kubernetes.io/name": "other" };
    const said = { spec: { type: "NodePort" }, automountServiceAccountToken: true };
    for (const other of [
      stored(object, said),
      stored({ ...object, metadata: { ...object.metadata, labels } }),
    ])
      expect(differenceOf({ resource, object }, slim(resource, other))).toMatchObject([
        { kind: "Update", uid: "u-1", resourceVersion: "7" },
      ]);
  });

  it("leads to no look when something changes that is compared with nothing", () => {
    const [[kind, object]] = CHILDREN as [(typeof CHILDREN)[number]];
    const later = stored(object, { status: { loadBalancer: { ingress: [{ ip: "10.0.0.2" }] } } });
    const facts = (one: KubeObject) => childFacts(slimChild(kind, one));
    expect(facts(later)).toEqual(facts(stored(object)));
    const ending = { ...later, metadata: { ...later.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    expect(facts(ending)).not.toEqual(facts(later));
  });
});

describe("a ConfigMap in its cache", () => {
  const spec = llmBridgeSpec.parse({
    image: "registry.example/bridge:1",
    upstreams: [{ name: "model", protocol: "OpenAI", url: "http://model.example/v1" }],
  });
  const names = { bridge: "chat", namespace: "ai", revision: "a" };
  const config = bridgeConfigFile({ ...names, spec, workerCap: 1, workerHeapMiB: 144 });
  const deployment = { kind: "Deployment", metadata: { name: "chat-a", namespace: "ai" }, spec: {} };
  const ofRevision = revisionConfigMap(bridge, "a", config, deployment, {
    ...{ spec: { image: spec.image }, contents: undefined },
  });

  it("of a revision says what its text says", () => {
    const { fixed, ...rest } = slim("configmaps", stored(ofRevision)) as ChildObject & { fixed: unknown };
    expect(fixed).toEqual({ config, rendered: deployment, spec: { image: spec.image } });
    expect(rest).toMatchObject({ immutable: true });
    expect(rest).not.toHaveProperty("data");
  });

  it("of a revision that somebody made changeable is made as it should be", () => {
    const { immutable: _, ...changeable } = ofRevision;
    const cached = slim("configmaps", stored({ ...changeable, data: { x: "y" } } as ChildObject));
    expect(differenceOf({ resource: "configmaps", object: ofRevision }, cached)).toHaveLength(1);
  });

  it("of the user's that a revision keeps is known to be there, and no more", () => {
    const kept = { index: 0, name: "prompts", found: true, data: { a: "text" }, binaryData: {} };
    const cached = slim("configmaps", stored(keptConfigMap(bridge, "a", kept as never)));
    expect(cached).not.toHaveProperty("data");
    expect(cached).toMatchObject({ immutable: true, metadata: { uid: "u-1" } });
  });
});
