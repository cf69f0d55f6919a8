import type { Shape } from "../../kube/protobuf.ts";
import { OBJECT_META } from "../../kube/protobuf-watch.ts";
import type { RequiredKind } from "../plan.ts";

/*
 * What slimChild reads of each kind, by the numbers of its message in k8s.io/api (generated.proto). A Deployment's template, which is most of it, is not
 * among it.
 */

/** metav1.LabelSelector. */
const SELECTOR: Shape = {
  1: ["matchLabels", { strings: "all" }],
  2: [
    "matchExpressions",
    { each: { 1: ["key", "string"], 2: ["operator", "string"], 3: ["values", "texts"] } },
  ],
};

const selector = { message: SELECTOR } as const;

/** apps/v1 DeploymentSpec and DeploymentStatus. */
const DEPLOYMENT: Shape = {
  2: ["spec", { message: { 1: ["replicas", "int32"] } }],
  3: [
    "status",
    {
      message: {
        6: [
          "conditions",
          { each: { 1: ["type", "string"], 2: ["status", "string"], 5: ["message", "string"] } },
        ],
      },
    },
  ],
};

/** core/v1 ServicePort. */
const SERVICE_PORT: Shape = {
  1: ["name", "string"],
  2: ["protocol", "string"],
  3: ["port", "int32"],
  4: ["targetPort", "intOrString"],
  5: ["nodePort", "int64"],
  6: ["appProtocol", "string"],
};

const SERVICE: Shape = {
  2: [
    "spec",
    {
      message: {
        1: ["ports", { each: SERVICE_PORT }],
        2: ["selector", { strings: "all" }],
        4: ["type", "string"],
      },
    },
  ],
};

const CONFIG_MAP: Shape = { 2: ["data", { strings: "all" }], 4: ["immutable", "bool"] };

const SERVICE_ACCOUNT: Shape = { 4: ["automountServiceAccountToken", "bool"] };

const BUDGET: Shape = {
  2: [
    "spec",
    {
      message: {
        1: ["minAvailable", "intOrString"],
        2: ["selector", selector],
        3: ["maxUnavailable", "intOrString"],
        4: ["unhealthyPodEvictionPolicy", "string"],
      },
    },
  ],
};

/** networking/v1 NetworkPolicyPort. */
const POLICY_PORT: Shape = { 1: ["protocol", "string"], 2: ["port", "intOrString"], 3: ["endPort", "int32"] };

/** networking/v1 NetworkPolicyPeer. */
const PEER: Shape = {
  1: ["podSelector", selector],
  2: ["namespaceSelector", selector],
  3: ["ipBlock", { message: { 1: ["cidr", "string"], 2: ["except", "texts"] } }],
};

const POLICY: Shape = {
  2: [
    "spec",
    {
      message: {
        1: ["podSelector", selector],
        2: ["ingress", { each: { 1: ["ports", { each: POLICY_PORT }], 2: ["from", { each: PEER }] } }],
        3: ["egress", { each: { 1: ["ports", { each: POLICY_PORT }], 2: ["to", { each: PEER }] } }],
        4: ["policyTypes", "texts"],
      },
    },
  ],
};

/** metav1.OwnerReference. */
const OWNER: Shape = {
  1: ["kind", "string"],
  3: ["name", "string"],
  4: ["uid", "string"],
  5: ["apiVersion", "string"],
  6: ["controller", "bool"],
  7: ["blockOwnerDeletion", "bool"],
};

const metadata: Shape = {
  1: ["metadata", { message: { ...OBJECT_META, 13: ["ownerReferences", { each: OWNER }] } }],
};

export const CHILD_SHAPES: Readonly<Record<RequiredKind, Shape>> = {
  deployments: { ...metadata, ...DEPLOYMENT },
  services: { ...metadata, ...SERVICE },
  configmaps: { ...metadata, ...CONFIG_MAP },
  serviceaccounts: { ...metadata, ...SERVICE_ACCOUNT },
  poddisruptionbudgets: { ...metadata, ...BUDGET },
  networkpolicies: { ...metadata, ...POLICY },
};
