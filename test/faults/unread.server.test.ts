import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { resources } from "../../operator/kube/resources.ts";
import { BRIDGE_PERMISSIONS, type Rule, ruleOf } from "../../operator/permissions.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import type { ServerProcess } from "../servers/process.ts";
import { account } from "./account.ts";
import { type Another, type Bed, openBed, type Stage } from "./bed.ts";
import { looks } from "./operator-process.ts";
import { isOwnWrite } from "./proxy.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Scenario 35, a right to read that is missing: what the operator needs and may not see is said where people look, and nothing is decided without it. */

const FIRST = bridgeImage(1);
const ALL = BRIDGE_PERMISSIONS.map(ruleOf);
const WITHOUT_PODS = BRIDGE_PERMISSIONS.filter(
  ({ resource, subresource }) => resource !== resources.pods || subresource !== undefined,
).map(ruleOf);
/** The pauses between tries of a list, and of a bridge that is left alone. */
const NOTICED_WITHIN_MS = 90_000;
const PATIENCE = { timeout: 240_000 };

let bed: Bed;
beforeAll(async () => {
  // The cluster is read as a whole here.
  bed = await openBed({ isOwn: true });
});
afterAll(async () => bed?.down());

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const asPatch = "application/merge-patch+json";
const grant = (stage: Stage, rules: readonly Rule[]) =>
  bed.plane.api.request("PATCH", `${RBAC}/namespaces/${stage.namespace}/roles/reader`, { rules }, asPatch);

/** The API server goes by what it has seen of the roles. */
const withdrawn = (stage: Stage): Promise<boolean> =>
  until("the right to have gone", async () => {
    const { namespace } = stage;
    const spec = {
      user: `system:serviceaccount:${namespace}:reader`,
      resourceAttributes: { namespace, verb: "watch", resource: "pods" },
    };
    const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    const { status } = (await bed.plane.api.request("POST", path, review)) as {
      status: { allowed: boolean };
    };
    return !status.allowed;
  });

const stalled = (status: LLMBridgeStatus) => conditionOf(status, "Stalled");
const cannotRead = (status: LLMBridgeStatus) => stalled(status)?.reason === "CannotRead";

/** What it wrote, to a bridge or to what belongs to one. */
const written = ({ proxy }: Another) =>
  proxy.requests.filter(isOwnWrite).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);

/** A touch brings a look at once; waits until it has ended. */
async function looked(stage: Stage, process: ServerProcess): Promise<void> {
  const { ended } = await looks(process);
  const metadata = { annotations: { touched: String(ended) } };
  await bed.plane.client.mergePatch(LLMBRIDGES, stage.namespace, "chat", { metadata });
  await until("another look", async () => {
    const now = await looks(process);
    return now.ended > ended && now.underWay === 0;
  });
}

const readiness = async ({ readyLine }: ServerProcess) => {
  const { healthPort } = JSON.parse(readyLine) as { healthPort: number };
  const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz?verbose`);
  return { status: answer.status, text: await answer.text() };
};

describe("scenario 35: a namespace of which the operator may read bridges and not their pods", () => {
  it(
    "has that said by its bridges, once and with the remedy, until the right is given; and again when it is taken",
    PATIENCE,
    async () => {
      const stage = await bed.stage({ isEmpty: true });
      const path = await account(bed.plane, stage.namespace, "reader", WITHOUT_PODS);
      const operator = await stage.startBehind(path);
      const { bridge } = stage.actor();
      await bridge.apply(storySpec(FIRST));
      const refused = await bridge.waitFor("stalled", cannotRead, NOTICED_WITHIN_MS);
      expect(stalled(refused)).toMatchObject({ status: "True" });
      expect(stalled(refused)?.message).toContain("give it list and watch on pods in this namespace");
      expect(stalled(refused)?.message).toMatch(
        /pods is forbidden: User "system:serviceaccount:.*cannot (list|watch)/,
      );
      await looked(stage, operator.process);
      await looked(stage, operator.process);
      expect(written(operator)).toEqual(["patch llmbridges/status chat"]);
      expect(await readiness(operator.process)).toMatchObject({
        status: 200,
        text: expect.stringContaining(`pods in ${stage.namespace}`),
      });

      await grant(stage, ALL);
      const served = await bridge.promoted(FIRST, NOTICED_WITHIN_MS);
      expect(stalled(served)).toMatchObject({ status: "False" });

      await grant(stage, WITHOUT_PODS);
      await withdrawn(stage);
      // A watch that has begun goes on for minutes.
      operator.proxy.cutAll();
      const again = await bridge.waitFor("stalled again", cannotRead, NOTICED_WITHIN_MS);
      expect([again.phase, again.stable?.image]).toEqual(["Stable", FIRST]);
      await grant(stage, ALL);
      await bridge.waitFor("as before", (status) => stalled(status)?.status === "False", NOTICED_WITHIN_MS);
      await stage.close();
    },
  );
});

describe("scenario 35: a cluster that is read as a whole, but for its pods", () => {
  it(
    "has that said by its bridges, by the log and by /readyz, until the right is given",
    PATIENCE,
    async () => {
      const stage = await bed.stage({ isEmpty: true });
      const { namespace } = stage;
      const kubeconfigPath = await account(bed.plane, namespace, "reader", ALL);
      const metadata = { name: namespace };
      const { api } = bed.plane;
      await api.request("POST", `${RBAC}/clusterroles`, { metadata, rules: WITHOUT_PODS });
      await api.request("POST", `${RBAC}/clusterrolebindings`, {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: namespace },
        subjects: [{ kind: "ServiceAccount", name: "reader", namespace }],
      });
      const lease = { namespace, name: "whole" };
      const operator = await stage.start({ kubeconfigPath, namespaces: [], leaderElection: false, lease });
      const { bridge } = stage.actor();
      await bridge.apply(storySpec(FIRST));
      const refused = await bridge.waitFor("stalled", cannotRead, NOTICED_WITHIN_MS);
      expect(stalled(refused)?.message).toContain("give it list and watch on pods in the whole cluster");
      const { status, text } = await readiness(operator);
      expect(status).toBe(503);
      expect(text).toMatch(/pods may not be read: pods is forbidden/);
      expect(operator.lastLines.join("\n")).toMatch(/"resource":"pods".*may not be read/);

      await api.request("PATCH", `${RBAC}/clusterroles/${namespace}`, { rules: ALL }, asPatch);
      await bridge.promoted(FIRST, NOTICED_WITHIN_MS);
      expect((await readiness(operator)).status).toBe(200);
      await stage.close();
    },
  );
});
