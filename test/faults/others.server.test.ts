import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { BRIDGE_PERMISSIONS, ruleOf } from "../../operator/permissions.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { isOperators, startAudit } from "../scene/audit.ts";
import { account } from "./account.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** What people, controllers and policies do to a bridge's children and to the operator's rights. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const POLICIES: Resource = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural: "validatingadmissionpolicies",
  kind: "ValidatingAdmissionPolicy",
  namespaced: false,
};
const BINDINGS: Resource = {
  ...POLICIES,
  plural: "validatingadmissionpolicybindings",
  kind: "ValidatingAdmissionPolicyBinding",
};
const QUOTAS: Resource = { ...resources.configMaps, plural: "resourcequotas", kind: "ResourceQuota" };

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
}
interface Service extends KubeObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>> };
}

let bed: Bed;
beforeAll(async () => {
  // Its policies bind the whole cluster.
  bed = await openBed({ isOwn: true });
});
afterAll(async () => bed?.down());

const service = async (stage: Stage): Promise<Service> =>
  bed.plane.client.get<Service>(resources.services, stage.namespace, "chat");
const deployment = async (stage: Stage): Promise<Deployment> =>
  (await stage.list<Deployment>(resources.deployments))[0] as Deployment;

const childrenOf = async (stage: Stage, resource: Resource): Promise<KubeObject[]> =>
  (await stage.list(resource)).filter(({ metadata }) => metadata.labels?.[LABELS.bridge] === "chat");

describe("scenario 16: somebody else changes a child", () => {
  it("what is ours is restored, what is theirs stays", async () => {
    const stage = await bed.serving(FIRST);
    const { client } = bed.plane;
    const { name } = (await deployment(stage)).metadata;
    await client.mergePatch(resources.deployments, stage.namespace, name, { spec: { replicas: 5 } });
    await until("two replicas again", async () => (await deployment(stage)).spec.replicas === 2);
    const { selector } = (await service(stage)).spec;
    await client.mergePatch(resources.services, stage.namespace, "chat", {
      metadata: { annotations: { "example.com/team": "search" } },
      spec: { selector: { extra: "nobody" } },
    });
    // A selector is one field: a key that is not ours would take every pod away.
    await until("its own selector again", async () => {
      const now = (await service(stage)).spec.selector;
      return JSON.stringify(now) === JSON.stringify(selector);
    });
    expect((await service(stage)).metadata.annotations?.["example.com/team"]).toBe("search");
    await stage.close();
  });

  it("labels that it is known by are given back, once, and nothing is made anew", async () => {
    const stage = await bed.serving(FIRST);
    const { client } = bed.plane;
    const before = stage.writes().length;
    const { name, uid, labels = {} } = (await deployment(stage)).metadata;
    for (const label of [LABELS.revision, LABELS.bridge, "app.kubernetes.io/managed-by"]) {
      const metadata = { labels: { [label]: null } };
      await client.mergePatch(resources.deployments, stage.namespace, name, { metadata });
      await until(`${label} again`, async () => {
        const now = (await deployment(stage)).metadata;
        return now.uid === uid && now.labels?.[label] === labels[label];
      });
    }
    const { bridge } = stage.actor();
    const status = await bridge.promoted(FIRST);
    expect(conditionOf(status, "Stalled")?.status).toBe("False");
    const written = stage
      .writes()
      .slice(before)
      .filter(({ resource, carriedOut }) => resource === "deployments" && carriedOut);
    expect(written).toHaveLength(3);
    await stage.close();
  });

  it("is not fought for ever: who answers each time is answered three times a minute, and named", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge } = stage.actor();
    const { client } = bed.plane;
    const { name } = (await deployment(stage)).metadata;
    const stop = new AbortController();
    let answers = 0;
    const opponent = (async () => {
      while (!stop.signal.aborted) {
        if ((await deployment(stage)).spec.replicas !== 4) {
          await client.mergePatch(resources.deployments, stage.namespace, name, { spec: { replicas: 4 } });
          answers += 1;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const status = await bridge.waitFor(
      "contested",
      (now) => conditionOf(now, "Stalled")?.reason === "Contested",
    );
    expect(conditionOf(status, "Stalled")?.message).toContain(`deployments "${name}"`);
    expect(conditionOf(status, "Stalled")?.message).toContain("--show-managed-fields");
    // Changes of theirs go on bringing the key back; none of them is answered.
    for (let i = 0; i < 20; i++)
      await client.mergePatch(resources.deployments, stage.namespace, name, {
        metadata: { annotations: { round: String(i) } },
      });
    stop.abort();
    await opponent;
    expect(answers).toBe(4);
    const restored = stage
      .writes()
      .filter(
        ({ resource, verb, serverCode }) =>
          resource === "deployments" && verb === "patch" && serverCode === 200,
      );
    expect(restored).toHaveLength(3);
    await stage.close();
  });
});

describe("scenario 17: a policy refuses a child", () => {
  it("is told in the policy's words, is not tried in a hot loop, and leaves what serves alone", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    const { client } = bed.plane;
    const words = "every Deployment needs the label cost-centre";
    const policy = `costs-${stage.namespace}`;
    await client.create(POLICIES, {
      metadata: { name: policy },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          resourceRules: [
            { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["CREATE"] },
          ],
        },
        validations: [
          {
            expression: "has(object.metadata.labels) && 'cost-centre' in object.metadata.labels",
            message: words,
          },
        ],
      },
    } as never);
    await client.create(BINDINGS, {
      metadata: { name: policy },
      spec: {
        policyName: policy,
        validationActions: ["Deny"],
        matchResources: {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": stage.namespace } },
        },
      },
    } as never);
    // A policy is in force a moment after it was made.
    await until("the policy in force", async () => {
      const labels = { app: "trial" };
      const template = { metadata: { labels }, spec: { containers: [{ name: "one", image: "none" }] } };
      const metadata = { namespace: stage.namespace, name: "trial" };
      const trial = { metadata, spec: { selector: { matchLabels: labels }, template } } as never;
      return client.create(resources.deployments, trial, { dryRun: true }).then(
        () => false,
        (error: Error) => error.message.includes(words),
      );
    });
    const before = stage.writes().length;
    await bridge.patch({ image: SECOND });
    const status = await bridge.waitFor(
      "refused",
      (now) => conditionOf(now, "Stalled")?.reason === "WriteRefused",
    );
    expect(conditionOf(status, "Stalled")?.message).toContain(words);
    expect(conditionOf(status, "Ready")?.status).toBe("True");
    expect((await deployment(stage)).spec.replicas).toBe(2);
    await client.delete(BINDINGS, "", policy);
    await client.delete(POLICIES, "", policy);
    await holding(SECOND);
    const tries = stage
      .writes()
      .slice(before)
      .filter(({ resource }) => resource === "deployments");
    // The second is for the report of the first; those after it wait.
    const made = tries.findIndex(({ carriedOut }) => carriedOut);
    expect(made).toBeGreaterThan(0);
    const waits = tries.slice(1, made + 1).map(({ atMs }, index) => atMs - (tries[index]?.atMs ?? 0));
    expect(waits.filter((ms) => ms < 10_000).length).toBeLessThanOrEqual(1);
    await stage.close();
  });
});

describe("scenario 18: a quota has no room for the canary's pods", () => {
  it("says so in the quota's words, gives up at the deadline, and leaves the stable version whole", async () => {
    const stage = await bed.stage();
    const { bridge } = stage.actor();
    const spec = storySpec(FIRST);
    await bridge.apply({ ...spec, rollout: { ...spec.rollout, progressDeadline: "30s" } });
    await bridge.promoted(FIRST);
    const { client } = bed.plane;
    await client.create(QUOTAS, {
      metadata: { namespace: stage.namespace, name: "pods" },
      spec: { hard: { pods: "2" } },
    } as never);
    await until("the quota in force", async () => {
      const quota = await client.get<KubeObject & { status?: { used?: { pods?: string } } }>(
        QUOTAS,
        stage.namespace,
        "pods",
      );
      return quota.status?.used?.pods === "2";
    });
    await bridge.patch({ image: SECOND });
    const status = await bridge.rolledBack();
    expect(status.rollout?.failed?.message).toMatch(/exceeded quota: pods/);
    expect(conditionOf(status, "Ready")?.status).toBe("True");
    expect(status.stable).toMatchObject({ image: FIRST, ready: 2 });
    await stage.close();
  });
});

describe("scenario 26: children are deleted", () => {
  it("each by hand: it is made again, once", async () => {
    const stage = await bed.serving(FIRST);
    const { client } = bed.plane;
    const before = stage.writes().length;
    const uids = new Map<Resource, string>();
    const counts = new Map<Resource, number>();
    const kept = [
      resources.services,
      resources.serviceAccounts,
      resources.networkPolicies,
      resources.podDisruptionBudgets,
      resources.deployments,
    ];
    for (const resource of kept) {
      const all = await childrenOf(stage, resource);
      const [child] = all;
      counts.set(resource, all.length);
      uids.set(resource, child?.metadata.uid ?? "");
      await client.delete(resource, stage.namespace, child?.metadata.name ?? "");
    }
    const { bridge } = stage.actor();
    for (const [resource, uid] of uids) {
      await until(`another of ${resource.plural}`, async () => {
        const children = await childrenOf(stage, resource);
        // A bridge has three Services, of which two are still there when the third is not made again yet.
        const isWhole = children.length === counts.get(resource);
        return isWhole && children.every(({ metadata }) => metadata.uid !== uid);
      });
    }
    await bridge.promoted(FIRST);
    const made = stage
      .writes()
      .slice(before)
      .filter(({ serverCode }) => serverCode === 201);
    expect(made.map(({ resource }) => resource).sort()).toEqual(
      [...uids.keys()].map(({ plural }) => plural).sort(),
    );
    await stage.close();
  });

  it("with their namespace: nothing is made in it any more, and it goes", async () => {
    const stage = await bed.serving(FIRST);
    await bed.plane.client.delete(resources.namespaces, "", stage.namespace);
    await until(
      "the namespace to be gone",
      async () => {
        const all = await bed.plane.client.list(resources.namespaces, {});
        return !all.some(({ metadata }) => metadata.name === stage.namespace);
      },
      60_000,
    );
    const refused = stage.writes().filter(({ serverCode = 0 }) => serverCode === 403);
    expect(refused.length).toBeLessThanOrEqual(9);
    const quiet = stage.writes().length;
    // Another namespace of that name, and in it another bridge: when that serves, the one that is gone had its chance.
    await bed.plane.client.create(resources.namespaces, { metadata: { name: stage.namespace } });
    const { bridge } = stage.actor("later");
    await bridge.apply(storySpec(FIRST));
    await bridge.promoted(FIRST);
    const after = stage.writes().slice(quiet);
    expect(after.filter(({ name }) => !name.startsWith("later"))).toEqual([]);
    await stage.close();
  });
});

describe("scenario 31: the right to write status is taken away", () => {
  it("keeps the children as they should be, backs off, and says why without a flood", async () => {
    const stage = await bed.stage({ isEmpty: true });
    const rules = BRIDGE_PERMISSIONS.filter(({ subresource }) => subresource !== "status").map(ruleOf);
    const kubeconfigPath = await account(bed.plane, stage.namespace, "mute", rules);
    const audit = startAudit(bed.plane.server.auditLogPath);
    const operator = await stage.start({ kubeconfigPath });
    await stage.actor().bridge.apply(storySpec(FIRST));
    const refusals = async () =>
      (await audit.requests()).filter(
        ({ resource, code, userAgent, namespace }) =>
          isOperators(userAgent) &&
          namespace === stage.namespace &&
          resource === "llmbridges/status" &&
          code === 403,
      );
    await until("refused three times", async () => (await refusals()).length >= 3);
    const { client } = bed.plane;
    await client.delete(resources.services, stage.namespace, "chat");
    await until("the Service again", async () =>
      (await stage.list(resources.services)).some(({ metadata }) => metadata.name === "chat"),
    );
    // What failed is waited for twice as long each time, whatever else brings a look meanwhile.
    await until("two tries more than a second apart", async () => {
      const sent = (await refusals()).map(({ receivedMs }) => receivedMs).sort((a, b) => a - b);
      return sent.some((ms, index) => index > 0 && ms - (sent[index - 1] ?? ms) > 1_000);
    });
    expect((await refusals()).length).toBeLessThan(20);
    const said = operator.lastLines.filter((line) => line.includes("llmbridges/status"));
    expect(said.length).toBeGreaterThan(0);
    expect(said.at(-1)).toMatch(/forbidden/i);
    await stage.close();
  });
});
