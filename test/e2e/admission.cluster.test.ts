import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import type { Resource } from "../../operator/kube/resources.ts";
import { OPERATOR_RELEASE } from "../scene/operator.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("admission");
});
afterAll(async () => scene?.close());

const POLICIES: Resource = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural: "validatingadmissionpolicies",
  kind: "ValidatingAdmissionPolicy",
  namespaced: false,
};

type Policy = KubeObject & {
  readonly status?: { readonly observedGeneration?: number; readonly typeChecking?: object };
};

it.each(["commands", "secrets"])(
  "the chart's policy of %s has no expression that Kubernetes finds fault with",
  async (name) => {
    const read = () => scene.client.get<Policy>(POLICIES, "", `${OPERATOR_RELEASE}-${name}`);
    await expect
      .poll(async () => (await read()).status?.observedGeneration, { timeout: 30_000 })
      .toBeDefined();
    expect((await read()).status?.typeChecking ?? {}).toEqual({});
  },
);
