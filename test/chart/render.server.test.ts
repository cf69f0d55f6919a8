import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { POD_MONITORS } from "../../operator/bridges/apply.ts";
import { HTTP_ROUTES } from "../../operator/bridges/route/http-route.ts";
import type { Resource } from "../../operator/kube/resources.ts";
import {
  CANARY_SECRET_PERMISSIONS,
  FINGERPRINT_KEY_PERMISSIONS,
  GATE_JOB_PERMISSIONS,
  HTTP_ROUTE_DEFINITION_PERMISSIONS,
  HTTP_ROUTE_PERMISSIONS,
  type Permission,
  POD_MONITOR_DEFINITION_PERMISSIONS,
  POD_MONITOR_PERMISSIONS,
  type Rule,
  ruleOf,
  SECRET_COPY_PERMISSIONS,
} from "../../operator/permissions.ts";
import { parseAdministratorSettings } from "../../operator/settings/file.ts";
import { readProcessSettings } from "../../operator/settings/read-process.ts";
import { type ChartBed, chartBed } from "./chart-bed.ts";
import { CHART, type Manifest } from "./helm.ts";
import { isMap, pathsOf, withValue } from "./values.ts";

const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as Record<string, unknown>;
const source = { name: "default", url: "http://prometheus.monitoring.svc:9090", allowedNamespaces: ["ai"] };

/** Values that take every branch of the templates that a boolean does not. */
const everything = {
  ...{ imagePullSecrets: [{ name: "registry" }], replicas: 2, logLevel: "debug", priorityClassName: "high" },
  image: { digest: `sha256:${"a".repeat(64)}` },
  settings: {
    sources: [source],
    podMonitors: { labels: { release: "prometheus" }, interval: "30s" },
    httpRoutes: {},
    gateWebhooks: [{ name: "evals", url: "https://evals.example/gate" }],
    gateJobs: { allowedNamespaces: ["ai"] },
  },
  sourceSecrets: [{ name: "prometheus", secretName: "prometheus-token" }],
  canarySecrets: ["openai", "redis"],
  sourceConfigMaps: [{ name: "prometheus-ca", configMapName: "cluster-ca" }],
  serviceAccount: { name: "operator", annotations: { "example.com/a": "b" } },
  podDisruptionBudget: { enabled: true },
  networkPolicy: { enabled: true, metricsFrom: [{ namespaceSelector: {} }] },
  ...{ podAnnotations: { "example.com/a": "b" }, podLabels: { "example.com/l": "v" } },
  ...{ nodeSelector: { a: "b" }, tolerations: [{ operator: "Exists" }], affinity: { podAntiAffinity: {} } },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { a: "b" } },
    },
  ],
};

let bed: ChartBed;

beforeAll(async () => {
  bed = await chartBed();
});

afterAll(async () => {
  await bed.down();
});

/** Every object, but those whose kind this API server does not know, in a dry run under strict validation. */
function accepted(manifests: readonly Manifest[]): string {
  const known = manifests.filter(({ kind }) => kind !== "PodMonitor");
  const environment = { ...process.env, KUBECONFIG: bed.server.kubeconfigPath };
  const args = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: known });
  return execFileSync(bed.server.kubectlPath, args, { env: environment, input, encoding: "utf8" });
}

const named = (manifests: readonly Manifest[], kind: string) => manifests.filter((one) => one.kind === kind);

describe("the chart", () => {
  it("passes helm lint", async () => {
    await bed.helm.run(["lint", CHART, "--strict"]);
  });

  it("renders objects that the API server accepts", async () => {
    expect(accepted(await bed.helm.template())).toContain("deployment.apps/llmb created");
  });

  it("does so with every value set", async () => {
    const manifests = await bed.helm.template(everything);
    expect(accepted(manifests)).toContain("networkpolicy.networking.k8s.io/llmb created");
  });

  it.each(
    pathsOf(values, (value) => typeof value === "boolean").map((path) => [path.join("."), path] as const),
  )("renders with %s flipped", async (_, path) => {
    const present = path.reduce<unknown>((node, key) => (isMap(node) ? node[key] : undefined), values);
    const flipped = withValue(path, !present) as Record<string, object>;
    const needed =
      path.join(".") === "serviceAccount.create"
        ? { serviceAccount: { create: false, name: "mine" } }
        : flipped;
    const manifests = await bed.helm.template(needed);
    const before = await bed.helm.template();
    expect(manifests).not.toEqual(before);
    accepted(manifests);
  });

  it("puts all rights into the watched namespaces when there are some", async () => {
    const manifests = await bed.helm.template({
      watchNamespaces: ["a", "b"],
      rbac: { aggregateUserRoles: false },
    });
    expect(named(manifests, "ClusterRole")).toEqual([]);
    expect(named(manifests, "ClusterRoleBinding")).toEqual([]);
    const namespaces = named(manifests, "Role").map(({ metadata }) => metadata.namespace);
    expect(namespaces).toEqual(["a", "b", "operators"]);
  });

  it("takes names of namespaces that YAML would read as numbers", async () => {
    const manifests = await bed.helm.template({ watchNamespaces: ["123"] });
    const namespaces = named(manifests, "RoleBinding").map(({ metadata }) => metadata.namespace);
    expect(namespaces).toEqual(["123", "operators"]);
  });

  it.each([
    ["the ports that are listed", [443], [53, 53, 443]],
    ["none but DNS without any", [], [53, 53]],
  ])("lets the operator reach %s", async (_, egressPorts, allowed) => {
    const manifests = await bed.helm.template({ networkPolicy: { enabled: true, egressPorts } });
    const [policy] = named(manifests, "NetworkPolicy") as (Manifest & {
      spec: { egress: { ports: { port: number | "all" }[] | null }[] };
    })[];
    // A rule whose ports are absent or null allows all of them.
    const ports = policy?.spec.egress.flatMap((rule) => rule.ports ?? [{ port: "all" as const }]);
    expect(ports?.map(({ port }) => port)).toEqual(allowed);
  });
});

const OPTIONAL_APIS: readonly [string, object, Resource, readonly Permission[], readonly Permission[]][] = [
  [
    "PodMonitors",
    { podMonitors: {} },
    POD_MONITORS,
    POD_MONITOR_PERMISSIONS,
    POD_MONITOR_DEFINITION_PERMISSIONS,
  ],
  ["HTTPRoutes", { httpRoutes: {} }, HTTP_ROUTES, HTTP_ROUTE_PERMISSIONS, HTTP_ROUTE_DEFINITION_PERMISSIONS],
];

describe.each(OPTIONAL_APIS)("the right to %s", (_name, settings, { group }, permissions, ofDefinition) => {
  interface Rules extends Manifest {
    readonly rules: readonly Rule[];
  }
  const definition = ruleOf(ofDefinition[0] as Permission);
  const given = async (values: object): Promise<readonly Rule[]> => {
    const manifests = await bed.helm.template(values);
    const roles = [...named(manifests, "Role"), ...named(manifests, "ClusterRole")] as Rules[];
    const mine = new Set([group, ...definition.apiGroups]);
    return roles
      .flatMap(({ rules }) => rules)
      .filter(({ apiGroups }) => apiGroups.some((one) => mine.has(one)));
  };

  it("is given where the settings ask for them, and to their one definition in cluster mode", async () => {
    const rules = permissions.map(ruleOf);
    expect(await given({})).toEqual([]);
    expect(await given({ settings })).toEqual([...rules, definition]);
    expect(await given({ settings, watchNamespaces: ["a", "b"] })).toEqual([...rules, ...rules]);
  });
});

describe("the right to Jobs", () => {
  it("is given where the settings let gates run some", async () => {
    const given = async (values: object): Promise<readonly Rule[]> =>
      [
        ...named(await bed.helm.template(values), "Role"),
        ...named(await bed.helm.template(values), "ClusterRole"),
      ]
        .flatMap((role) => (role as Manifest & { readonly rules: readonly Rule[] }).rules)
        .filter(({ apiGroups }) => apiGroups.includes("batch"));
    const rules = GATE_JOB_PERMISSIONS.map(ruleOf);
    const settings = { gateJobs: {} };
    expect(await given({})).toEqual([]);
    expect(await given({ settings })).toEqual(rules);
    expect(await given({ settings, watchNamespaces: ["a", "b"] })).toEqual([...rules, ...rules]);
  });
});

describe("the right to Secrets", () => {
  interface Role extends Manifest {
    readonly rules: readonly Rule[];
  }
  /** By the namespace that it is given in; empty for all. */
  const given = async (values: object): Promise<Record<string, readonly Rule[]>> => {
    const manifests = await bed.helm.template(values);
    const roles = [...named(manifests, "Role"), ...named(manifests, "ClusterRole")] as Role[];
    const ofSecrets = roles.map(({ metadata: { namespace = "" }, rules }) => [
      namespace,
      rules.filter(({ resources }) => resources.some((one) => one === "secrets" || one === "*")),
    ]);
    return Object.fromEntries(ofSecrets.filter(([, rules]) => rules?.length));
  };
  const names = ["openai", "123"];
  const mine = [
    ...CANARY_SECRET_PERMISSIONS.map((one) => ({ ...ruleOf(one), resourceNames: names })),
    ...SECRET_COPY_PERMISSIONS.map(ruleOf),
  ];
  const key = FINGERPRINT_KEY_PERMISSIONS.map(ruleOf);

  it("is none where no Secret is named whose changes may start canaries", async () => {
    expect(await given({})).toEqual({});
    expect(await given({ watchNamespaces: ["a"] })).toEqual({});
  });

  it("is to get and watch those that are named, to make copies, and to keep its key at home", async () => {
    expect(await given({ canarySecrets: names })).toEqual({ "": mine, operators: key });
    expect(await given({ canarySecrets: names, watchNamespaces: ["a", "b"] })).toEqual({
      ...{ a: mine, b: mine },
      operators: key,
    });
    for (const rule of [...mine, ...key])
      if (!rule.verbs.every((verb) => verb === "create")) expect(rule.resourceNames).not.toEqual([]);
    expect([...mine, ...key].flatMap(({ verbs }) => verbs)).not.toContain("list");
  });
});

describe("values.schema.json", () => {
  const free = [
    "annotations",
    "labels",
    "podAnnotations",
    "podLabels",
    "nodeSelector",
    "affinity",
    "requests",
    "limits",
  ];
  const objects = [[], ...pathsOf(values, isMap)].filter((path) => !free.includes(path.at(-1) ?? ""));

  it.each(objects.map((path) => [path.join(".") || "the top", path] as const))(
    "refuses an unknown value in %s",
    async (_, path) => {
      await expect(bed.helm.template(withValue([...path, "typo"], 1))).rejects.toThrow(
        /additional properties 'typo' not allowed/,
      );
    },
  );

  it.each<[string, object]>([
    ["an unknown resource", { resources: { limits: { memroy: "1Gi" } } }],
    ["a source without address", { settings: { sources: [{ name: "default" }] } }],
    ["a label that no object may have", { settings: { podMonitors: { labels: { a: "b c" } } } }],
    ["an address that is none", { settings: { sources: [{ ...source, url: "prometheus:9090" }] } }],
    ["text where a boolean belongs", { crds: { install: "no" } }],
    ["an unknown log level", { logLevel: "loud" }],
    ["a Secret that no name can be", { canarySecrets: ["*"] }],
  ])("refuses %s", async (_, wrong) => {
    await expect(bed.helm.template(wrong)).rejects.toThrow("don't meet the specifications of the schema");
  });

  it("allows what a parent chart passes to every child", async () => {
    await bed.helm.template({ global: { anything: true } });
  });
});

describe("the operator's pod", () => {
  interface Probe {
    readonly httpGet: { readonly path: string };
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  }
  interface Container {
    readonly args: readonly string[];
    readonly startupProbe: Probe;
  }
  interface Deployment extends Manifest {
    readonly spec: {
      readonly template: {
        readonly metadata: object;
        readonly spec: { readonly containers: readonly Container[] };
      };
    };
  }

  it("is admitted where only restricted pods are", async () => {
    await bed.api.request("POST", "/api/v1/namespaces/operators/serviceaccounts", {
      metadata: { name: "llmb" },
    });
    const [deployment] = named(
      await bed.helm.template({ sourceSecrets: everything.sourceSecrets }),
      "Deployment",
    ) as Deployment[];
    const { template } = deployment?.spec ?? { template: undefined };
    const pod = { ...template, metadata: { ...template?.metadata, name: "trial" } };
    await bed.api.request("POST", "/api/v1/namespaces/operators/pods?dryRun=All&fieldValidation=Strict", pod);
  });

  it("is given two minutes to start on a busy node before liveness may end it", async () => {
    const [deployment] = named(await bed.helm.template({}), "Deployment") as Deployment[];
    const probe = deployment?.spec.template.spec.containers[0]?.startupProbe;
    expect(probe?.httpGet.path).toBe("/healthz");
    expect((probe?.periodSeconds ?? 0) * (probe?.failureThreshold ?? 0)).toBe(120);
  });

  it("gets flags that the operator takes and a settings file that it can read", async () => {
    const manifests = await bed.helm.template({
      ...everything,
      watchNamespaces: ["ai", "web"],
      bridgeSelector: "shard notin (a,b)",
    });
    const [deployment] = named(manifests, "Deployment") as Deployment[];
    const settings = readProcessSettings(deployment?.spec.template.spec.containers[0]?.args ?? [], {});
    expect(settings).toMatchObject({
      leaseName: "llmb",
      logLevel: "debug",
      watchNamespaces: ["ai", "web"],
      bridgeSelector: "shard notin (a,b)",
    });
    const [file] = named(manifests, "ConfigMap") as (Manifest & { data: Record<string, string> })[];
    const given = parseAdministratorSettings(file?.data["settings.yaml"] ?? "");
    expect(given.sources).toMatchObject([source]);
    expect(given.podMonitors).toEqual(everything.settings.podMonitors);
  });
});
