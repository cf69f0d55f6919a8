import { describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { KubeObject } from "../kube/object.ts";
import { resources } from "../kube/resources.ts";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { Contested, createContests } from "./contest.ts";
import { createChild } from "./create-child.ts";
import { type BridgeRef, childLabels, ownerReference } from "./names.ts";
import type { ChildObject } from "./plan.ts";

/** What a real server does is in apply.server.test.ts. */

const bridge: BridgeRef = { namespace: "ai", name: "chat", uid: "u" };
const labels = { ...childLabels("chat", "bridge"), [LABELS.revision]: "abc" };
const object: ChildObject = {
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name: "chat-abc", namespace: "ai", labels, ownerReferences: [ownerReference(bridge)] },
};

type Labels = Readonly<Record<string, string | undefined>>;

/**
 * A Deployment of the bridge that is there, though the plan would make it.
 * @param has the labels that it has
 * @param take what becomes of labels that are written to it
 */
function bed(has: Labels, take = (written: Labels): Labels => written) {
  const clock = createVirtualClock();
  const contests = createContests({ clock });
  const found: KubeObject[] = [];
  const relabelled: unknown[] = [];
  let isShown = false;
  let version = 7;
  let there = has;
  const existing = (): KubeObject => ({
    ...object,
    metadata: {
      ...{ ...object.metadata, uid: "d", resourceVersion: String(version) },
      labels: Object.fromEntries(
        Object.entries(there).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
      ),
    },
  });
  const client = {
    async apply() {
      throw new ApiError("apply deployments", 409, { reason: "Conflict" });
    },
    get: async () => existing(),
    async mergePatch(_: unknown, __: string, ___: string, patch: { metadata: { labels: Labels } }) {
      relabelled.push(patch.metadata.labels);
      const after = { ...there, ...take(patch.metadata.labels) };
      if (JSON.stringify(after) !== JSON.stringify(there)) version += 1;
      there = after;
      return existing();
    },
  } as Partial<KubeClient> as KubeClient;
  const create = () =>
    createChild(
      client,
      bridge,
      { resource: resources.deployments, object },
      contests,
      (_, one) => {
        found.push(one);
        return isShown;
      },
      undefined,
    );
  return {
    ...{ clock, found, relabelled, create },
    strip: (name: string) => {
      there = { ...there, [name]: undefined };
      version += 1;
    },
    show: () => {
      isShown = true;
    },
  };
}

const conflict = { reason: "Conflict" };

describe("a child that is there, of which the plan knows nothing", () => {
  it("is waited for, however often", async () => {
    const { create, found, relabelled } = bed(labels);
    for (let i = 0; i < 10; i++) await expect(create()).rejects.toMatchObject(conflict);
    expect(found).toHaveLength(10);
    expect(relabelled).toEqual([]);
  });

  it("has the label given back by which its revision is known", async () => {
    const { create, found, relabelled } = bed({ ...labels, [LABELS.revision]: undefined });
    await expect(create()).rejects.toMatchObject(conflict);
    expect(relabelled).toMatchObject([{ [LABELS.revision]: "abc" }]);
    expect(found.map(({ metadata }) => metadata.resourceVersion)).toEqual(["8"]);
  });

  it("is reported once the cache has shown it three times, with the place and the remedy", async () => {
    const { create, show } = bed(labels);
    show();
    for (let i = 0; i < 3; i++) await expect(create()).rejects.toMatchObject(conflict);
    await expect(create()).rejects.toThrow(Contested);
    await expect(create()).rejects.toThrow(/deployments "chat-abc" belongs to this LLMBridge.*or delete it/);
  });

  it("has its labels given back three times a minute, and is reported where somebody takes them off as often", async () => {
    const { clock, create, strip, relabelled } = bed(labels);
    const round = () => {
      strip(LABELS.bridge);
      return create();
    };
    for (let i = 0; i < 3; i++) await expect(round()).rejects.toMatchObject(conflict);
    await expect(round()).rejects.toThrow(Contested);
    expect(relabelled).toHaveLength(3);
    await clock.advance(60_000);
    await expect(round()).rejects.toMatchObject(conflict);
  });

  it.each([
    ["taken off", undefined],
    ["written over", "somebody"],
  ])("is reported at once where its labels are %s on the way in", async (_, value) => {
    const managedBy = "app.kubernetes.io/managed-by";
    const { create, found, relabelled } = bed({ ...labels, [managedBy]: value }, (written) => ({
      ...written,
      [managedBy]: value,
    }));
    await expect(create()).rejects.toThrow(/deployments "chat-abc".*mutatingwebhookconfigurations/);
    for (let i = 0; i < 9; i++) await expect(create()).rejects.toThrow(Contested);
    expect(relabelled).toHaveLength(3);
    expect(found).toEqual([]);
  });
});
