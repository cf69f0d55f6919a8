import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ANNOTATIONS } from "../../operator/bridges/names.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resourceName, resources } from "../../operator/kube/resources.ts";
import {
  BRIDGE_PERMISSIONS,
  CANARY_SECRET_PERMISSIONS,
  FINGERPRINT_KEY_PERMISSIONS,
  GATE_JOB_PERMISSIONS,
  HTTP_ROUTE_DEFINITION_PERMISSIONS,
  HTTP_ROUTE_PERMISSIONS,
  LEASE_PERMISSIONS,
  type Permission,
  POD_MONITOR_DEFINITION_PERMISSIONS,
  POD_MONITOR_PERMISSIONS,
  SECRET_COPY_PERMISSIONS,
  withSubresource,
} from "../../operator/permissions.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { buildTools } from "../../tools/setup/tools.ts";
import { type Helm, helm } from "../chart/helm.ts";
import { serveGatewayApi } from "../kube/gateway-api.ts";
import { untilOld } from "../kube/old-pods.ts";
import { servePodMonitors } from "../kube/pod-monitors.ts";
import { makeOld } from "../rollout/old-deployment.ts";
import { type AuditedRequest, isOperators, startAudit } from "../scene/audit.ts";
import type { ServerProcess } from "../servers/process.ts";
import { loginAs } from "./account.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { STUCK } from "./kubelet.ts";
import { type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";
import { asksForState } from "./request.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { actor, playStory, storySpec } from "./story.ts";
import { meetStrangers } from "./strangers.ts";
import { invalid } from "./strike.ts";

/** Where the operator's account and Lease are; the chart's release is `llmb`. */
const HOME = "operators";
const [WATCHED, ALSO_WATCHED, UNWATCHED] = ["web", "ai", "elsewhere"] as const;
const WITHIN_MS = 60_000;

let plane: ControlPlane;
let program: OperatorProgram;
let chart: Helm;
let operator: ServerProcess;
let settings: TestSettings;
/** One that is not streamed its lists. */
let standby: ServerProcess;
let proxy: FaultProxy;

beforeAll(async () => {
  const progress = createProgress({ write: () => {}, nowMs: Date.now });
  const tools = await buildTools(cacheRoot(process.env), progress, ["kubestack", "helm"]);
  [plane, program] = await Promise.all([
    startControlPlane({
      flags: ["--enable-admission-plugins=OwnerReferencesPermissionEnforcement"],
      hasBudgets: true,
    }),
    operatorProgram(),
  ]);
  chart = helm(tools.helm, plane.server.kubeconfigPath);
  for (const name of [HOME, WATCHED, ALSO_WATCHED, UNWATCHED])
    await plane.api.request("POST", "/api/v1/namespaces", { metadata: { name } });
  await servePodMonitors(plane.client);
  await serveGatewayApi(plane.client);
  settings = settingsFile(SETTINGS);
});
afterAll(async () => {
  await standby?.stop();
  await operator?.stop();
  await proxy?.close();
  chart?.close();
  settings?.remove();
  program?.remove();
  await plane?.down();
});

const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const PATHS: Readonly<Record<string, (namespace: string) => string>> = {
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  Role: (namespace) => `${RBAC}/namespaces/${namespace}/roles`,
  RoleBinding: (namespace) => `${RBAC}/namespaces/${namespace}/rolebindings`,
  ClusterRole: () => `${RBAC}/clusterroles`,
  ClusterRoleBinding: () => `${RBAC}/clusterrolebindings`,
  // What people are asked for beyond their rights must not stand in the operator's way.
  ValidatingAdmissionPolicy: () => `${ADMISSION}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: () => `${ADMISSION}/validatingadmissionpolicybindings`,
};
/** With all that takes a right of its own. */
const SETTINGS = {
  sources: [{ name: "default", url: "http://127.0.0.1:9" }],
  podMonitors: {},
  httpRoutes: {},
  gateJobs: {},
};

/** Stores what the chart gives an operator, but for what is there already, and logs in as its account. */
async function accountOfChart(name: string, watchNamespaces: readonly string[]): Promise<string> {
  const rbac = { aggregateUserRoles: false };
  const manifests = await chart.template({
    ...{ watchNamespaces, settings: SETTINGS, serviceAccount: { name }, rbac, canarySecrets: ["sealed"] },
  });
  for (const one of manifests) {
    const path = PATHS[one.kind]?.(one.metadata.namespace ?? HOME);
    if (path === undefined) continue;
    await plane.api.request("POST", path, one).catch(async (error: Error) => {
      if (!error.message.includes("already exists")) throw error;
      // The account of before has no operator any more.
      const subjects = "subjects" in one ? { subjects: one.subjects } : {};
      await plane.api.request(
        "PATCH",
        `${path}/${one.metadata.name}`,
        subjects,
        "application/merge-patch+json",
      );
    });
  }
  // Where namespaces are named not one rule for the whole cluster is bound to the operator.
  const forAll = manifests.filter(({ kind }) => kind === "ClusterRoleBinding");
  expect(forAll).toHaveLength(watchNamespaces.length > 0 ? 0 : 1);
  return loginAs(plane, HOME, name);
}

const nameOf = ({ group, resource }: AuditedRequest): string => {
  const [plural = "", subresource] = resource.split("/");
  const name = resourceName({ group, plural, version: "", kind: "", namespaced: true });
  return withSubresource(name, subresource);
};
/** A server-side apply that made something was allowed to create as well as to patch. */
const verbsOf = ({ verb, code }: AuditedRequest): string[] =>
  verb === "patch" && code === 201 ? ["create", "patch"] : [verb];

const sortedUnique = (all: readonly string[]): string[] => [...new Set(all)].sort();
const rightsUsed = (requests: readonly AuditedRequest[]): string[] =>
  sortedUnique(requests.flatMap((one) => verbsOf(one).map((verb) => `${verb} ${nameOf(one)}`)));
const rightsIn = (table: readonly Permission[]): string[] =>
  sortedUnique(
    table
      .filter(({ askedByAdmission }) => !askedByAdmission)
      .flatMap(({ resource, subresource, verbs }) =>
        verbs.map((verb) => `${verb} ${withSubresource(resourceName(resource), subresource)}`),
      ),
  );

describe("an operator that may touch two namespaces and nothing else", () => {
  it("does all that it does with the chart's Roles, and uses each right that they give", async () => {
    const audit = startAudit(plane.server.auditLogPath);
    const kubeconfigPath = await accountOfChart("llmb", [WATCHED, ALSO_WATCHED]);
    const start = (instance: string, path: string) =>
      program.start({
        kubeconfigPath: path,
        instance,
        settingsPath: settings.path,
        namespaces: [WATCHED, ALSO_WATCHED],
        leaderElection: true,
        lease: { namespace: HOME, name: "llmb" },
      });
    operator = await start("leader", kubeconfigPath);
    await playStory(plane.client, WATCHED);
    await actor(plane.client, UNWATCHED, "unseen").bridge.apply(storySpec("registry.example/bridge:1"));

    const { bridge, command, holding } = actor(plane.client, ALSO_WATCHED, "other");
    // History of no revision: each that was left is deleted.
    const spec = storySpec("registry.example/bridge:1");
    const rollout = { ...spec.rollout, revisionHistoryLimit: 0 };
    const postgres = { secretRef: { name: "usage", key: "url" }, backendConnections: 40 };
    await bridge.apply({ ...spec, rollout, pools: { postgres } });
    await bridge.promoted("registry.example/bridge:1", WITHIN_MS);
    // A number that running pods read again, of which kubelet is told by a touch.
    await bridge.patch({ pools: { postgres: { backendConnections: 60 } } });
    await expect
      .poll(() => plane.client.list(resources.pods, { namespace: ALSO_WATCHED }), { timeout: WITHIN_MS })
      .toSatisfy((pods: KubeObject[]) =>
        pods.every(({ metadata }) => metadata.annotations?.[ANNOTATIONS.runtimeGeneration] === "2"),
      );
    const { stable } = await bridge.status();
    await untilOld(plane.client, ALSO_WATCHED);
    await command({ action: "restart", revision: stable?.revision ?? "", id: "restart-1" });
    await bridge.waitFor("restarted", ({ decisions }) =>
      decisions.some(({ reason }) => reason === "Restarted"),
    );
    // An Event that repeats becomes a series.
    await bridge.patch({ image: "registry.example/bridge:2" });
    const revision = await holding("registry.example/bridge:2");
    await command({ action: "abort", revision, id: "abort-1" });
    await bridge.rolledBack(WITHIN_MS);
    await command({ action: "retry", revision, id: "retry-1" });
    await holding("registry.example/bridge:2");
    await command({ action: "abort", revision, id: "abort-2" });
    await bridge.rolledBack(WITHIN_MS);
    // Names that are taken.
    await meetStrangers(plane.client, ALSO_WATCHED);
    // A route that is made, and asked for no more.
    const routed = actor(plane.client, ALSO_WATCHED, "routed").bridge;
    const traffic = { router: "Gateway" as const, route: { parentRefs: [{ name: "public" }] } };
    await routed.apply({ ...spec, rollout: { ...spec.rollout, traffic } });
    await routed.waitFor("told of its route", ({ conditions }) =>
      conditions.some(({ type, message }) => type === "RouteAccepted" && message.includes("Gateway public")),
    );
    await routed.patch({ rollout: { traffic: { router: "Replicas", route: null } } });
    // A gate's Job, given up with its canary.
    const gated = actor(plane.client, ALSO_WATCHED, "gated");
    const gates = [{ name: "smoke", job: { image: "registry.example/smoke:1" } }];
    const steps = [
      { name: "half", weight: 50, gates: ["smoke"] },
      { name: "all", weight: 100 },
    ];
    await gated.bridge.apply({ ...spec, rollout: { ...spec.rollout, gates, steps } });
    await gated.bridge.promoted("registry.example/bridge:1");
    await gated.bridge.patch({ image: "registry.example/bridge:2" });
    const judged = await gated.holding("registry.example/bridge:2");
    const jobs = () => plane.client.list(resources.jobs, { namespace: ALSO_WATCHED });
    await expect.poll(jobs, { timeout: WITHIN_MS }).toHaveLength(1);
    await gated.command({ action: "abort", revision: judged, id: "abort-gated" });
    await expect.poll(jobs, { timeout: WITHIN_MS }).toEqual([]);
    await gated.command({ action: "retry", revision: judged, id: "retry-gated" });
    await expect.poll(jobs, { timeout: WITHIN_MS }).toHaveLength(1);
    // One that is nobody's any more: whose it is has to be read.
    const [{ metadata: taken } = { metadata: { name: "" } }] = await jobs();
    const orphan = { metadata: { ownerReferences: null } };
    await plane.client.mergePatch(resources.jobs, ALSO_WATCHED, taken.name, orphan);
    await gated.bridge.waitFor("told whose it is", ({ rollout }) =>
      (rollout?.gates?.[0]?.message ?? "").includes("belongs to nobody"),
    );
    // A Secret of which a change is to start a canary, and no other.
    const token = (text: string) => ({ token: Buffer.from(text).toString("base64") });
    const secret = { metadata: { namespace: ALSO_WATCHED, name: "sealed" }, data: token("first") };
    await plane.client.create(resources.secrets, secret as never);
    const keyed = actor(plane.client, ALSO_WATCHED, "keyed");
    const secretRef = { name: "sealed", key: "token", onChange: "Canary" as const };
    const upstreams = spec.upstreams.map((one) => ({ ...one, secretRef }));
    await keyed.bridge.apply({ ...spec, upstreams });
    await keyed.bridge.promoted("registry.example/bridge:1");
    await plane.client.mergePatch(resources.secrets, ALSO_WATCHED, "sealed", { data: token("second") });
    await keyed.holding("registry.example/bridge:1");
    // What is taken over, and given back.
    await makeOld(plane, ALSO_WATCHED, "web");
    const taker = actor(plane.client, ALSO_WATCHED, "taker");
    await taker.bridge.apply({
      ...storySpec("registry.example/bridge:1"),
      takeOver: { deployment: "web", services: ["web"] },
    });
    await taker.holding("registry.example/bridge:1");
    await taker.bridge.delete();
    await expect.poll(() => taker.bridge.get(), { timeout: WITHIN_MS }).toBeUndefined();
    // A pod that does not start and does not say why.
    await bridge.patch({ image: `registry.example/bridge:${STUCK}` });

    const requests = async () => (await audit.requests()).filter(({ userAgent }) => isOperators(userAgent));
    // A list of one object, by which a term begins that finds bridges, is left out: this one may begin before the first.
    const isOfOne = ({ uri }: AuditedRequest) => /[?&]limit=1(&|$)/.test(uri);
    // That there is no Lease yet is an answer too.
    const used = async () =>
      rightsUsed((await requests()).filter((one) => !isOfOne(one) && (one.code < 400 || one.code === 404)));
    const wanted = rightsIn([
      ...BRIDGE_PERMISSIONS,
      ...POD_MONITOR_PERMISSIONS,
      ...HTTP_ROUTE_PERMISSIONS,
      ...GATE_JOB_PERMISSIONS,
      ...CANARY_SECRET_PERMISSIONS,
      ...SECRET_COPY_PERMISSIONS,
      ...FINGERPRINT_KEY_PERMISSIONS,
      ...LEASE_PERMISSIONS,
    ]);
    // What is watched is listed only where the server does not stream lists; but the pods of a gate's Job are looked for by their label.
    const streamed = wanted.filter(
      (right) =>
        right === "list pods" ||
        !right.startsWith("list ") ||
        !wanted.includes(right.replace("list ", "watch ")),
    );
    const isNoWatch = (right: string) => !right.startsWith("watch ");
    await expect
      .poll(async () => (await used()).filter(isNoWatch), { timeout: WITHIN_MS })
      .toEqual(streamed.filter(isNoWatch));
    proxy = await startFaultProxy(kubeconfigPath);
    proxy.when((request) => request.verb === "watch" && asksForState(request), invalid());
    standby = await start("standby", proxy.kubeconfigPath);
    await expect
      .poll(async () => (await used()).filter(isNoWatch), { timeout: WITHIN_MS })
      .toEqual(wanted.filter(isNoWatch));
    // A watch is in the audit log when it has ended.
    await standby.stop();
    await operator.stop();
    await expect.poll(used, { timeout: WITHIN_MS }).toEqual(wanted);
    const all = await requests();
    expect(all.filter(({ code }) => code === 401 || code === 403)).toEqual([]);
    expect(sortedUnique(all.map(({ namespace }) => namespace))).toEqual([ALSO_WATCHED, HOME, WATCHED].sort());
    expect((await actor(plane.client, UNWATCHED, "unseen").bridge.status()).phase).toBeUndefined();
  });
});

describe("an operator of the whole cluster", () => {
  it("looks at the one definition that it has a right to", async () => {
    const audit = startAudit(plane.server.auditLogPath);
    const behind = await startFaultProxy(await accountOfChart("llmb-all", []));
    behind.when((request) => request.verb === "watch" && asksForState(request), invalid());
    const { kubeconfigPath } = behind;
    operator = await program.start({
      ...{ kubeconfigPath, settingsPath: settings.path, namespaces: [] },
      lease: { namespace: HOME, name: "llmb-all" },
    });
    const { bridge } = actor(plane.client, UNWATCHED, "unseen");
    await bridge.waitFor("its PodMonitor", (now) =>
      now.conditions.some(({ type, status }) => type === "PodMonitorApplied" && status === "True"),
    );
    await operator.stop();
    await behind.close();
    const requests = async () => (await audit.requests()).filter(({ userAgent }) => isOperators(userAgent));
    const mine = rightsIn([...POD_MONITOR_DEFINITION_PERMISSIONS, ...HTTP_ROUTE_DEFINITION_PERMISSIONS]);
    await expect
      .poll(async () => rightsUsed((await requests()).filter(({ code }) => code < 400)), {
        timeout: WITHIN_MS,
      })
      .toEqual(expect.arrayContaining(mine));
    const all = await requests();
    expect(all.filter(({ code }) => code === 401 || code === 403)).toEqual([]);
    // One bridge is left of which a changed Secret starts a canary.
    expect(all.filter(({ resource, name }) => resource === "secrets" && name === "sealed")).not.toEqual([]);
    const definitions = all.filter(({ resource }) => resource === "customresourcedefinitions");
    expect(rightsUsed(definitions)).toEqual(mine);
  });
});
