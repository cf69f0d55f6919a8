import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND_VERBS } from "../../operator/api/v1alpha1/commands.ts";
import { ApiError } from "../../operator/kube/errors.ts";
import { resourceName } from "../../operator/kube/resources.ts";
import { BRIDGE_PERMISSIONS, withSubresource } from "../../operator/permissions.ts";
import { smallestBridge } from "../conformance/bridge-objects.ts";
import { type ChartBed, chartBed } from "./chart-bed.ts";
import { CHART } from "./helm.ts";

const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/llmbridges.llmbridge.dev";
const IN_OPERATORS = ["--namespace", "operators"];

let bed: ChartBed;

beforeAll(async () => {
  bed = await chartBed();
  await bed.helm.run(["install", "llmb", CHART, ...IN_OPERATORS]);
});

afterAll(async () => {
  await bed.down();
});

/** Whether the operator's service account, or a user, may do something. */
async function may(
  verb: string,
  resource: string,
  options: { name?: string; namespace?: string; groups?: string[] } = {},
): Promise<boolean> {
  const [plural = "", subresource = ""] = resource.split("/");
  const [short = "", ...group] = plural.split(".");
  const { namespace = "ai", name = "", groups = [] } = options;
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      ...(groups.length > 0
        ? { user: "somebody", groups }
        : { user: "system:serviceaccount:operators:llmb" }),
      resourceAttributes: { verb, group: group.join("."), resource: short, subresource, namespace, name },
    },
  };
  const answer = (await bed.api.request(
    "POST",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    review,
  )) as {
    status: { allowed: boolean };
  };
  return answer.status.allowed;
}

/** By `plural.group/subresource`, as `kubectl auth can-i` takes it. */
const NEEDED = Object.fromEntries(
  BRIDGE_PERMISSIONS.map(({ resource, subresource, verbs }) => [
    withSubresource(resourceName(resource), subresource),
    [...verbs].sort().join(" "),
  ]),
);

const VERBS = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "impersonate",
  "list",
  "patch",
  "update",
  "watch",
];

describe("the operator's rights", () => {
  it.each(Object.entries(NEEDED))("on %s are exactly %s", async (resource, verbs) => {
    const allowed = await Promise.all(VERBS.map(async (verb) => ((await may(verb, resource)) ? verb : "")));
    expect(allowed.filter(Boolean).join(" ")).toBe(verbs);
  });

  it.each([
    "secrets",
    "pods/exec",
    "roles.rbac.authorization.k8s.io",
    "namespaces",
    "nodes",
    "leases.coordination.k8s.io",
  ])("do not reach %s of other namespaces", async (resource) => {
    const allowed = await Promise.all(VERBS.map((verb) => may(verb, resource)));
    expect(allowed).not.toContain(true);
  });

  it("reach one Lease in its own namespace", async () => {
    const lease = "leases.coordination.k8s.io";
    const own = { namespace: "operators", name: "llmb" };
    const allowed = await Promise.all(VERBS.map(async (verb) => ((await may(verb, lease, own)) ? verb : "")));
    // A name cannot be asked of a create, so that one is allowed for the namespace.
    expect(allowed.filter(Boolean).join(" ")).toBe("create get list patch watch");
    expect(await may("patch", lease, { ...own, name: "other" })).toBe(false);
    expect(await may("list", lease, { namespace: "operators" })).toBe(false);
  });
});

it("carries the labels by which the cluster roles view and edit grow", async () => {
  const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  const edit = (await bed.api.request("GET", `${roles}/llmb-edit`)) as {
    metadata: { labels: object };
    rules: { resources: string[] }[];
  };
  expect(edit.metadata.labels).toMatchObject({ "rbac.authorization.k8s.io/aggregate-to-edit": "true" });
  expect(edit.rules.flatMap(({ resources }) => resources)).not.toContain("llmbridges/status");
});

it("lets those promote who are admin, and those take a canary back who edit", async () => {
  const role = async (name: string) => {
    const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    const { metadata, rules } = (await bed.api.request("GET", `${roles}/${name}`)) as {
      metadata: { labels: Record<string, string> };
      rules: { verbs: string[] }[];
    };
    const grows = Object.keys(metadata.labels).filter((label) => label.includes("aggregate-to"));
    return { grows, verbs: rules.flatMap(({ verbs }) => verbs) };
  };
  const promote = await role("llmb-promote");
  expect(promote.grows).toEqual(["rbac.authorization.k8s.io/aggregate-to-admin"]);
  expect(promote.verbs.toSorted()).toEqual([...new Set(Object.values(COMMAND_VERBS))].sort());
  const edit = await role("llmb-edit");
  expect(edit.verbs).toContain("abort");
  expect(edit.verbs).not.toContain("promote");
});

describe("upgrade and uninstall", () => {
  const exists = (path: string) =>
    bed.api.request("GET", path).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 404) return false;
        throw error;
      },
    );

  it("serves bridges", async () => {
    expect(await bed.api.create(smallestBridge("chat"), { keep: true })).toEqual([]);
  });

  it("upgrades in place", async () => {
    await bed.helm.run(["upgrade", "llmb", CHART, ...IN_OPERATORS, "--set", "replicas=2"]);
    const deployment = (await bed.api.request(
      "GET",
      "/apis/apps/v1/namespaces/operators/deployments/llmb",
    )) as { spec: { replicas: number } };
    expect(deployment.spec.replicas).toBe(2);
  });

  it("keeps the CRD and the bridges when it is uninstalled", async () => {
    await bed.helm.run(["uninstall", "llmb", ...IN_OPERATORS]);
    expect(await exists("/apis/apps/v1/namespaces/operators/deployments/llmb")).toBe(false);
    expect(await exists("/apis/llmbridge.dev/v1alpha1/namespaces/default/llmbridges/chat")).toBe(true);
  });

  it("takes the CRD over again, and away when told so", async () => {
    await bed.helm.run(["install", "llmb", CHART, ...IN_OPERATORS, "--set", "crds.keep=false"]);
    await bed.helm.run(["uninstall", "llmb", ...IN_OPERATORS]);
    const crd = await bed.api.request("GET", CRD).catch(() => undefined);
    expect(
      crd === undefined ||
        (crd as { metadata: { deletionTimestamp?: string } }).metadata.deletionTimestamp !== undefined,
    ).toBe(true);
  });
});
