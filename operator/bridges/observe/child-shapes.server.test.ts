import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStreamed, type Streamed } from "../../../test/kube/streamed.ts";
import type { DesiredObject } from "../../kube/object.ts";
import type { Shape } from "../../kube/protobuf.ts";
import { RESOURCE_OF } from "../apply.ts";
import { networkPolicy, podDisruptionBudget, service, serviceAccount } from "../desired/fixed.ts";
import { observeDeployment } from "../difference.ts";
import type { RequiredKind } from "../plan.ts";
import { slimChild } from "./child.ts";
import { CHILD_SHAPES } from "./child-shapes.ts";

const NAMESPACE = "shapes";
const BRIDGE = { namespace: NAMESPACE, name: "chat", uid: "0a0b0c0d-0000-0000-0000-000000000001" };

let server: Streamed;

beforeAll(async () => {
  server = await openStreamed(NAMESPACE);
});
afterAll(async () => server?.down());

const metadata = { namespace: NAMESPACE };
const labels = { app: "x", "llmbridge.dev/revision": "abc" };
const container = { name: "bridge", image: "example.test/bridge:1", env: [{ name: "A", value: "B" }] };
const deployment = (name: string, replicas: number | undefined) => ({
  metadata: { ...metadata, name, labels, annotations: { "llmbridge.dev/image": "Öl" } },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [container] } },
  },
});
const FAILED = [
  { type: "Available", status: "False", reason: "Few", message: "too few" },
  { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" },
  { type: "Progressing", status: "True", reason: "New" },
];

/** Of each kind what the operator makes, and what others may have made of it. */
const CHILDREN: Readonly<Record<RequiredKind, readonly object[]>> = {
  deployments: [
    deployment("a-default", undefined),
    deployment("b-three", 3),
    deployment("c-none", 0),
    deployment("d-failed", 1),
  ],
  services: [
    service(BRIDGE, "a-chat", ["abc"]),
    service(BRIDGE, "b-chat", ["abc", "def"], "Numbered"),
    {
      metadata: { ...metadata, name: "c-node" },
      spec: { type: "NodePort", ports: [{ port: 80, targetPort: 8080, nodePort: 30_080 }] },
    },
    { metadata: { ...metadata, name: "d-none" }, spec: { type: "ExternalName", externalName: "x.test" } },
  ],
  configmaps: [
    { metadata: { ...metadata, name: "a-said" }, data: { "a.json": "{}", empty: "", text: "Öl\n" } },
    { metadata: { ...metadata, name: "b-fixed" }, immutable: true, data: { "a.json": "{}" } },
    { metadata: { ...metadata, name: "c-open" }, immutable: false, binaryData: { b: "AAE=" } },
    { metadata: { ...metadata, name: "d-empty" } },
  ],
  serviceaccounts: [
    serviceAccount(BRIDGE),
    { metadata: { ...metadata, name: "mounts" }, automountServiceAccountToken: true },
    { metadata: { ...metadata, name: "silent" }, imagePullSecrets: [{ name: "pull" }] },
  ],
  poddisruptionbudgets: [
    podDisruptionBudget(BRIDGE, ["old", "older"]),
    {
      metadata: { ...metadata, name: "half" },
      spec: { minAvailable: "50%", selector: { matchExpressions: [{ key: "a", operator: "Exists" }] } },
    },
    { metadata: { ...metadata, name: "none" }, spec: { maxUnavailable: 0, selector: {} } },
  ],
  networkpolicies: [
    networkPolicy(BRIDGE),
    {
      metadata: { ...metadata, name: "wide" },
      spec: {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{}, { ports: [{ port: "http" }, { port: 80, endPort: 90, protocol: "UDP" }, {}] }],
        egress: [
          {
            to: [
              { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.2.0.0/16"] } },
              { namespaceSelector: {}, podSelector: { matchLabels: labels } },
            ],
          },
        ],
      },
    },
  ],
};

describe("a child is the same to us whether it comes as JSON or as protocol buffers", () => {
  it.each(Object.entries(CHILDREN) as [RequiredKind, readonly object[]][])("%s", async (kind, objects) => {
    const { client } = server;
    const resource = RESOURCE_OF[kind];
    const listed = (shape?: Shape) => server.list(resource, (child) => slimChild(kind, child), shape);
    for (const object of objects) await client.create(resource, object as DesiredObject);
    if (kind === "deployments") {
      const failed = { metadata: { ...metadata, name: "d-failed" }, status: { conditions: FAILED } };
      await client.applyStatus(resource, failed as DesiredObject, { fieldManager: "controllers" });
    }
    const json = await listed();
    expect(json.length).toBeGreaterThanOrEqual(objects.length);
    expect(await listed(CHILD_SHAPES[kind])).toEqual(json);
    if (kind !== "deployments") return;
    const seen = (await listed(CHILD_SHAPES[kind])).map((one) => observeDeployment(one as never));
    expect(seen).toMatchObject([
      { name: "a-default", replicas: 1, image: "Öl", revision: "abc" },
      { replicas: 3 },
      { replicas: 0 },
      { refusal: "exceeded quota" },
    ]);
  });
});
