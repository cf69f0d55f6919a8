import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { MOST_NEW_SECRETS } from "../../operator/admission/secrets.ts";
import { COMMAND_ANNOTATION, COMMAND_VERBS, type CommandVerb } from "../../operator/api/v1alpha1/commands.ts";
import { MOST_GATES } from "../../operator/api/v1alpha1/gates.ts";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import type { Rule } from "../../operator/permissions.ts";
import { type BridgeApi, bridgeApi } from "../conformance/bridge-api.ts";
import { patched, smallestBridge } from "../conformance/bridge-objects.ts";
import { account } from "../faults/account.ts";
import { type ChartBed, chartBed } from "./chart-bed.ts";
import type { Manifest } from "./helm.ts";

const USERS = ["editor", "promoter", "aborter", "reader"] as const;
type User = (typeof USERS)[number];

const onBridges = (...verbs: string[]): Rule => ({
  ...{ apiGroups: ["llmbridge.dev"], resources: ["llmbridges"], verbs },
});
const EDIT = onBridges("get", "list", "watch", "create", "update", "patch", "delete");
const getSecrets = (...resourceNames: string[]): Rule => ({
  ...{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
  ...(resourceNames.length > 0 ? { resourceNames } : {}),
});
const RIGHTS: Readonly<Record<User, readonly Rule[]>> = {
  editor: [EDIT, getSecrets("known", "also-known")],
  promoter: [EDIT, onBridges("promote")],
  aborter: [EDIT, onBridges("abort")],
  reader: [EDIT, getSecrets()],
};

const PATHS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
};
const BRIDGES = "/apis/llmbridge.dev/v1alpha1/namespaces/default/llmbridges";

let bed: ChartBed;
const kubeconfigs = {} as Record<User, string>;
const as = {} as Record<User, BridgeApi>;

beforeAll(async () => {
  bed = await chartBed();
  await bed.api.installCrd();
  for (const user of USERS) {
    kubeconfigs[user] = await account(bed, "default", user, RIGHTS[user]);
    as[user] = bridgeApi(kubeconfigs[user]);
  }
  for (const manifest of await policies())
    await bed.api.request("POST", PATHS[manifest.kind] ?? "", manifest);
  await bed.api.create(smallestBridge("chat"), { keep: true });
  // The API server reads new policies within a second or so.
  const inEffect = { timeout: 30_000, interval: 200 };
  await vi.waitFor(async () => {
    expect(await refusal("editor", command("promote"))).toContain("verb promote");
    expect(await refusal("editor", upstreamWith("unknown"))).toContain("Secret unknown");
  }, inEffect);
});
afterAll(async () => {
  for (const api of Object.values(as)) await api.close();
  await bed?.down();
});

async function policies(values?: object): Promise<readonly Manifest[]> {
  return (await bed.helm.template(values)).filter(({ kind }) => kind in PATHS);
}

/** What the API server says against a merge patch of the bridge `chat`, tried without storing it; empty where it takes it. */
async function refusal(user: User, patch: object): Promise<string> {
  return (await as[user].patch("chat", patch)).map(({ message }) => message).join(" ");
}

const written = (text: string) => ({ metadata: { annotations: { [COMMAND_ANNOTATION]: text } } });
const command = (action: string, more: object = { revision: "abc", id: "1" }) =>
  written(JSON.stringify({ action, ...more }));
const rollout = (change: object) => ({ spec: { rollout: change } });
const upstreamWith = (name: string) => ({
  spec: { upstreams: [{ ...UPSTREAM, secretRef: { name, key: "token" } }] },
});
const UPSTREAM = { name: "models", protocol: "Ollama", url: "http://ollama.example:11434" };
const WITH: Readonly<Record<CommandVerb, User>> = { promote: "promoter", abort: "aborter" };
const WITHOUT: Readonly<Record<CommandVerb, User>> = { promote: "aborter", abort: "promoter" };

const inPhase = (phase: string) =>
  bed.api.request("PATCH", `${BRIDGES}/chat/status`, { status: { phase } }, "application/merge-patch+json");
const store = (patch: object) =>
  bed.api.request("PATCH", `${BRIDGES}/chat`, patch, "application/merge-patch+json");

it.each([
  ["commands", "llmb-commands"],
  ["secrets", "llmb-secrets"],
])(
  "leaves the policy of %s out where the values say so, and binds it in the watched namespaces alone",
  async (value, name) => {
    const without = await policies({ admissionPolicies: { [value]: false } });
    expect(without.map(({ metadata }) => metadata.name)).not.toContain(name);
    const bindings = (await policies({ watchNamespaces: ["a", "b"] })).filter(
      ({ kind, metadata }) => kind.endsWith("Binding") && metadata.name === name,
    );
    expect(bindings).toMatchObject([
      { spec: { matchResources: { namespaceSelector: { matchExpressions: [{ values: ["a", "b"] }] } } } },
    ]);
  },
);

describe("a command", () => {
  it.each(Object.entries(COMMAND_VERBS))("%s needs the verb %s", async (action, verb) => {
    expect(
      await refusal(WITH[verb], command(action, { revision: "abc", step: "all", to: "all", id: "1" })),
    ).toBe("");
    for (const user of ["editor", WITHOUT[verb]] as const) {
      const message = await refusal(user, command(action));
      expect(message).toContain(`this command ("${action}") needs the verb ${verb} on llmbridges`);
      expect(message).toContain(`system:serviceaccount:default:${user} does not have`);
      expect(message).toContain(`{apiGroups: [llmbridge.dev], resources: [llmbridges], verbs: [${verb}]}`);
    }
  });

  it.each([
    ["an action hidden behind another", '{"action":"abort","revision":"abc","id":"1","action":"promote"}'],
    ["an escape", '{"\\u0061ction":"promote","action":"abort","revision":"abc","id":"1"}'],
    ["an action that comes later", '{"revision":"abc","id":"1","action":"promote"}'],
    ["an unknown action", '{"action":"obey","revision":"abc","id":"1"}'],
    ["no JSON", "promote"],
  ])("written with %s needs both verbs", async (_, text) => {
    expect(await refusal("aborter", written(text))).toContain("verb promote");
    expect(await refusal("promoter", written(text))).toContain("verb abort");
  });

  it("with spaces and `full` is read all the same", async () => {
    const text = '{ "action" : "promote", "revision": "abc", "full": true, "id": "1" }';
    expect(await refusal("promoter", written(text))).toBe("");
  });

  it("needs its verb in a new bridge too", async () => {
    const bridge = smallestBridge("fresh");
    const metadata = { ...(bridge.metadata as object), ...command("promote").metadata };
    expect(await as.editor.create({ ...bridge, metadata })).toMatchObject([
      { message: expect.stringContaining("verb promote") },
    ]);
    expect(await as.promoter.create({ ...bridge, metadata })).toEqual([]);
  });

  it("that stands there already is nobody's business, nor is taking it away", async () => {
    await store(command("promote"));
    expect(await refusal("editor", { metadata: { labels: { a: "b" } } })).toBe("");
    expect(await refusal("editor", { metadata: { annotations: { [COMMAND_ANNOTATION]: null } } })).toBe("");
    expect(await refusal("editor", command("promote", { revision: "abc", id: "2" }))).toContain(
      "verb promote",
    );
    await store({ metadata: { annotations: { [COMMAND_ANNOTATION]: null } } });
  });
});

describe("while a rollout runs", () => {
  beforeEach(() => inPhase("Holding"));

  it.each([
    ["steps", { steps: [{ name: "all", weight: 100 }] }],
    ["analysis", { analysis: { errors: { rollbackAbove: "50%", promoteBelow: "60%" } } }],
    ["paused", { paused: true }],
    ["strategy", { strategy: "Immediate" }],
    ["watchAfter", { watchAfter: "0s" }],
  ])("an edit of spec.rollout.%s needs the verb promote", async (field, change) => {
    const message = await refusal("editor", rollout(change));
    expect(message).toContain(`changing spec.rollout.${field} while a rollout runs needs the verb promote`);
    expect(await refusal("promoter", rollout(change))).toBe("");
  });

  it.each(["Pending", "Stable", "Aborted"])(
    "no more in phase %s, when everybody prepares the next change",
    async (phase) => {
      await inPhase(phase);
      expect(await refusal("editor", rollout({ paused: true, strategy: "Immediate" }))).toBe("");
    },
  );

  it("an edit of the image, the replicas or the history is everybody's who edits", async () => {
    expect(await refusal("editor", { spec: { image: "registry.example/llmbridge/bridge:2.0.0" } })).toBe("");
    expect(await refusal("editor", { spec: { scaling: { maxReplicas: 7 } } })).toBe("");
    expect(await refusal("editor", rollout({ revisionHistoryLimit: 2, after: ["other"] }))).toBe("");
  });

  it("what GitOps applies again without a change passes, and so does its new image", async () => {
    const apply = (image: string) =>
      as.editor.request(
        "PATCH",
        `${BRIDGES}/gitops?fieldManager=gitops&force=true`,
        {
          ...smallestBridge("gitops"),
          spec: patched(smallestBridge("gitops").spec, {
            image,
            rollout: { steps: [{ name: "all", weight: 100 }] },
          }),
        },
        "application/apply-patch+yaml",
      );
    await apply("registry.example/bridge:1");
    const status = { status: { phase: "Stepping" } };
    await bed.api.request("PATCH", `${BRIDGES}/gitops/status`, status, "application/merge-patch+json");
    await apply("registry.example/bridge:1");
    await apply("registry.example/bridge:2");
  });

  it("the operator's reports pass, since they are none of this", async () => {
    await bed.api.request(
      "PATCH",
      `${BRIDGES}/chat/status`,
      { status: { phase: "Stable" } },
      "application/merge-patch+json",
    );
  });

  it("the command line says which verb is missing and what gives it", async () => {
    const status = { phase: "Holding", rollout: { phase: "Holding", canaryRevision: "abc" } };
    const step = { name: "all", index: 0, count: 1, weight: 100 };
    await bed.api.request(
      "PATCH",
      `${BRIDGES}/chat/status`,
      { status: { ...status, rollout: { ...status.rollout, phaseSince: "2026-01-01T00:00:00Z" }, step } },
      "application/merge-patch+json",
    );
    const refused = async (...argv: string[]) => {
      const terminal = testTerminal({ signal: new AbortController().signal });
      const exitCode = await run([...argv, "--kubeconfig", kubeconfigs.editor], {}, terminal);
      return `${exitCode} ${terminal.err}`;
    };
    expect(await refused("promote", "chat")).toBe(
      '1 error: you may not do this: this command ("promote") needs the verb promote on llmbridges, which system:serviceaccount:default:editor does not have. In this namespace a Role with {apiGroups: [llmbridge.dev], resources: [llmbridges], verbs: [promote]} gives it.\n',
    );
    expect(await refused("abort", "chat")).toContain("needs the verb abort on llmbridges");
    expect(await refused("pause", "chat")).toContain("changing spec.rollout.paused while a rollout runs");
  });
});

describe("a Secret that a bridge names", () => {
  beforeEach(() => inPhase("Stable"));

  it("is one that its author may get", async () => {
    expect(await refusal("editor", upstreamWith("known"))).toBe("");
    expect(await refusal("reader", upstreamWith("unknown"))).toBe("");
    const message = await refusal("editor", upstreamWith("unknown"));
    expect(message).toContain("Secret unknown, which system:serviceaccount:default:editor may not get");
    expect(message).toContain('{apiGroups: [""], resources: [secrets], verbs: [get]}');
  });

  it.each<[string, object]>([
    ["spec.cache.redis", { cache: { redis: { secretRef: { name: "unknown", key: "url" } } } }],
    [
      "spec.pools.postgres",
      { pools: { postgres: { secretRef: { name: "unknown", key: "u" }, backendConnections: 9 } } },
    ],
    [
      "spec.pod.env",
      {
        pod: {
          env: [
            { name: "A", value: "b" },
            { name: "T", secretRef: { name: "unknown", key: "t" } },
          ],
        },
      },
    ],
    [
      "the last place of spec.rollout.gates",
      {
        rollout: {
          gates: [...Array(MOST_GATES).keys()].map((index) => ({
            name: `g${index}`,
            job: {
              image: "i:1",
              env: [
                { name: "T", secretRef: { name: index === MOST_GATES - 1 ? "unknown" : "known", key: "t" } },
              ],
            },
          })),
        },
      },
    ],
    ["spec.pod.envFrom", { pod: { envFrom: [{ secretRef: { name: "unknown" } }] } }],
    ["spec.pod.mounts", { pod: { mounts: [{ name: "m", path: "/etc/m", secret: { name: "unknown" } }] } }],
    ["spec.pod.imagePullSecrets", { pod: { imagePullSecrets: [{ name: "unknown" }] } }],
  ])("is asked for in %s", async (_, spec) => {
    expect(await refusal("editor", { spec })).toContain("Secret unknown");
    const known = JSON.parse(JSON.stringify(spec).replaceAll("unknown", "known")) as object;
    expect(await refusal("editor", { spec: known })).toBe("");
    expect(
      await as.editor.create({
        ...smallestBridge("fresh"),
        spec: { ...smallestBridge("fresh").spec, ...spec },
      }),
    ).toMatchObject([{ message: expect.stringContaining("Secret unknown") }]);
  });

  it("is asked for behind others, however often they stand there", async () => {
    const env = [...Array(40).keys()].map((index) => ({
      ...{ name: `V${index}`, secretRef: { name: index % 2 ? "known" : "also-known", key: "k" } },
    }));
    expect(await refusal("editor", { spec: { pod: { env } } })).toBe("");
    const more = [...env, { name: "LAST", secretRef: { name: "unknown", key: "k" } }];
    expect(await refusal("editor", { spec: { pod: { env: more } } })).toContain("Secret unknown");
  });

  it("is asked for by name up to a number, and beyond it of those alone who may get every Secret", async () => {
    const many = (count: number) => ({
      spec: {
        pod: {
          env: [...Array(count).keys()].map((index) => ({
            ...{ name: `V${index}`, secretRef: { name: `many-${index}`, key: "k" } },
          })),
        },
      },
    });
    const names = [...Array(64).keys()].map((index) => `many-${index}`);
    const kubeconfig = await account(bed, "default", "many", [EDIT, getSecrets(...names)]);
    const api = bridgeApi(kubeconfig);
    expect(await api.patch("chat", many(MOST_NEW_SECRETS))).toEqual([]);
    expect(await api.patch("chat", many(MOST_NEW_SECRETS + 1))).toMatchObject([
      { message: expect.stringContaining(`more than ${MOST_NEW_SECRETS} Secrets`) },
    ]);
    expect(await refusal("reader", many(64))).toBe("");
    await api.close();
  });

  it("that it names already is not asked for again", async () => {
    await store(upstreamWith("unknown"));
    expect(await refusal("editor", { spec: { image: "registry.example/llmbridge/bridge:3.0.0" } })).toBe("");
    expect(
      await refusal("editor", { spec: { cache: { redis: { secretRef: { name: "unknown", key: "u" } } } } }),
    ).toBe("");
    await store({ spec: { upstreams: [UPSTREAM] } });
  });
});
