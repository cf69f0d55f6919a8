import { refusedEnvReason } from "../env-names.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { celList } from "./cel.ts";
import { envReasonExpression, refusedEnvRule } from "./env.ts";
import { nodeOptionsExpression, nodeOptionsMessage } from "./node-options.ts";
import { oneSource } from "./one-source.ts";
import { type Rule, rule } from "./rule.ts";

type Pod = LLMBridgeSpec["pod"];
type EnvVar = Pod["env"][number];
type Toleration = Pod["tolerations"][number];

const pod = (patch: Record<string, unknown>) => ({ spec: { pod: patch } });
const env = (...list: Record<string, unknown>[]) => pod({ env: list });

/** Domains of keys that the operator, its tools or the pod's own security decide about. */
const reserved = {
  labels: ["llmbridge.dev", "app.kubernetes.io", "pod-template-hash"],
  annotations: [
    "llmbridge.dev",
    "prometheus.io",
    "controller.kubernetes.io",
    "container.apparmor.security.beta.kubernetes.io",
    "seccomp.security.alpha.kubernetes.io",
  ],
} as const;

const reservedKeys = (map: "labels" | "annotations"): Rule => {
  const domains = celList(reserved[map]);
  const found = `self.filter(k, k.split('/')[0] in ${domains})`;
  return rule<Record<string, string>>({
    id: `reserved-${map}`,
    path: `spec.pod.${map}`,
    validation: {
      rule: `!self.exists(k, k.split('/')[0] in ${domains})`,
      message: `Keys of ${reserved[map].join(", ")} are reserved.`,
      messageExpression: `${found}.map(k, k)[0] + ' is reserved: keys of ${reserved[map].join(", ")} are set by the operator or by Kubernetes. Choose a key of your own domain.'`,
      reason: "FieldValueForbidden",
    },
    check: (entries) => {
      const key = Object.keys(entries).find((k) =>
        (reserved[map] as readonly string[]).includes(k.split("/")[0] ?? ""),
      );
      return key === undefined
        ? undefined
        : `${key} is reserved: keys of ${reserved[map].join(", ")} are set by the operator or by Kubernetes. Choose a key of your own domain.`;
    },
    accepted: pod({ [map]: { "example.com/team": "ai" } }),
    refused: pod({ [map]: { "llmbridge.dev/revision": "abc" } }),
    expect: "llmbridge.dev/revision is reserved",
  });
};

const KEY = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";
const LABEL_VALUE = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";

const keySyntax = (map: "labels" | "annotations" | "nodeSelector"): Rule => {
  const valuesToo = map !== "annotations";
  const bad = `self.filter(k, !k.matches(r'${KEY}')${valuesToo ? ` || !self[k].matches(r'${LABEL_VALUE}')` : ""})`;
  const what = valuesToo
    ? " is not a label; keys and values use letters, digits, '-', '_' and '.', beginning and ending with a letter or digit."
    : " is not the key of an annotation; write name or domain/name with letters, digits, '-', '_' and '.'.";
  const shown = valuesToo ? `k + ': "' + self[k] + '"'` : "k";
  return rule<Record<string, string>>({
    id: `${map === "nodeSelector" ? "node-selector" : map}-syntax`,
    path: `spec.pod.${map}`,
    validation: {
      rule: `${bad}.size() == 0`,
      message: `An entry${what}`,
      messageExpression: `${bad}.map(k, ${shown})[0] + "${what}"`,
    },
    check: (entries) => {
      const found = Object.entries(entries).find(
        ([k, value]) => !new RegExp(KEY).test(k) || (valuesToo && !new RegExp(LABEL_VALUE).test(value)),
      );
      if (!found) return undefined;
      return (valuesToo ? `${found[0]}: "${found[1]}"` : found[0]) + what;
    },
    accepted: pod({ [map]: { "example.com/team": "ai-2" } }),
    refused: pod({ [map]: valuesToo ? { team: "a b" } : { "my team": "a b" } }),
    expect: valuesToo ? 'team: "a b" is not a label' : "my team is not the key of an annotation",
  });
};

/** Overrides of the pods, among them the environment. */
export const POD_RULES: readonly Rule[] = [
  rule<EnvVar>({
    id: "node-options",
    path: "spec.pod.env[]",
    validation: {
      rule: "self.name != 'NODE_OPTIONS'",
      message: "NODE_OPTIONS cannot be set here; write the typed fields of spec.tuning.nodeOptions.",
      messageExpression: nodeOptionsExpression(),
      reason: "FieldValueForbidden",
    },
    check: ({ name, value }) => (name === "NODE_OPTIONS" ? nodeOptionsMessage(value) : undefined),
    accepted: env({ name: "LOG_LEVEL", value: "debug" }),
    refused: env({
      name: "NODE_OPTIONS",
      value: "--max-old-space-size=450 --gc-interval=100 --optimize-for-size",
    }),
    expect: "--gc-interval=100: Node refuses it in NODE_OPTIONS",
  }),
  rule<EnvVar>({
    id: "env-names",
    path: "spec.pod.env[]",
    validation: {
      rule: refusedEnvRule(),
      message: "This variable cannot be set here.",
      messageExpression: `self.name + ' cannot be set here: ' + ${envReasonExpression()}`,
      fieldPath: ".name",
      reason: "FieldValueForbidden",
    },
    check: ({ name }) => {
      const reason = refusedEnvReason(name);
      return reason && `${name} cannot be set here: ${reason}`;
    },
    accepted: env({ name: "UPSTREAM_REGION", value: "eu" }),
    refused: env({ name: "UV_THREADPOOL_SIZE", value: "8" }),
    expect: "write spec.tuning.nodeOptions.threadpoolSize",
  }),
  oneSource({
    id: "env-one-source",
    path: "spec.pod.env[]",
    accepted: env({ name: "TOKEN", secretRef: { name: "s", key: "k" } }),
    refused: env({ name: "TOKEN" }),
    expect: "TOKEN needs exactly one of value, secretRef and configMapRef",
  }),
  rule<Toleration>({
    id: "toleration-shape",
    path: "spec.pod.tolerations[]",
    validation: {
      rule: "(has(self.operator) && self.operator == 'Exists') ? !has(self.value) : has(self.key)",
      message: "A toleration has a key, and with operator Exists no value; correct it or leave it out.",
    },
    check: ({ operator, value, key }) =>
      (operator === "Exists" ? value === undefined : key !== undefined)
        ? undefined
        : "A toleration has a key, and with operator Exists no value; correct it or leave it out.",
    accepted: pod({ tolerations: [{ operator: "Exists" }, { key: "gpu", value: "a" }] }),
    refused: pod({ tolerations: [{ key: "gpu", operator: "Exists", value: "a" }] }),
    expect: "with operator Exists no value",
  }),
  rule<Toleration>({
    id: "toleration-seconds",
    path: "spec.pod.tolerations[]",
    validation: {
      rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
      message:
        "tolerationSeconds has an effect only with effect NoExecute; set it, or leave the seconds out.",
      fieldPath: ".tolerationSeconds",
    },
    check: ({ tolerationSeconds, effect }) =>
      tolerationSeconds === undefined || effect === "NoExecute"
        ? undefined
        : "tolerationSeconds has an effect only with effect NoExecute; set it, or leave the seconds out.",
    accepted: pod({ tolerations: [{ key: "a", effect: "NoExecute", tolerationSeconds: 30 }] }),
    refused: pod({ tolerations: [{ key: "a", effect: "NoSchedule", tolerationSeconds: 30 }] }),
    expect: "only with effect NoExecute",
  }),
  reservedKeys("labels"),
  reservedKeys("annotations"),
  keySyntax("labels"),
  keySyntax("annotations"),
  keySyntax("nodeSelector"),
];
