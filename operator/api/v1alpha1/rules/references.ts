import type { LLMBridgeSpec } from "../spec.ts";
import { celList } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

type Pod = LLMBridgeSpec["pod"];

const pod = (patch: Record<string, unknown>) => ({ spec: { pod: patch } });
const map = { configMapRef: { name: "settings" } };

/** Directories of the image, of Node and of the operator: a mount over one would hide what is in it. */
const TAKEN = ["/app", "/bin", "/dev", "/etc", "/lib", "/proc", "/sbin", "/sys", "/usr"] as const;
/** Below these nothing is mounted either. */
const WHOLLY_TAKEN = [
  "/app",
  "/bin",
  "/dev",
  "/etc/llmbridge",
  "/lib",
  "/proc",
  "/sbin",
  "/sys",
  "/usr",
  "/tmp",
] as const;

const isTaken = (path: string): boolean =>
  (TAKEN as readonly string[]).includes(path) ||
  WHOLLY_TAKEN.some((taken) => path === taken || path.startsWith(`${taken}/`));

/** ConfigMaps and Secrets that the pods read. */
export const REFERENCE_RULES: readonly Rule[] = [
  rule<Pod["envFrom"][number]>({
    id: "env-from-one-source",
    path: "spec.pod.envFrom[]",
    validation: {
      rule: "has(self.configMapRef) != has(self.secretRef)",
      message: "It needs exactly one of configMapRef and secretRef.",
    },
    check: ({ configMapRef, secretRef }) =>
      (configMapRef === undefined) !== (secretRef === undefined)
        ? undefined
        : "It needs exactly one of configMapRef and secretRef.",
    accepted: pod({ envFrom: [map, { prefix: "APP_", secretRef: { name: "keys" } }] }),
    refused: pod({ envFrom: [{ ...map, secretRef: { name: "keys" } }] }),
    expect: "exactly one of configMapRef and secretRef",
  }),
  rule<Pod["mounts"][number]>({
    id: "mount-one-source",
    path: "spec.pod.mounts[]",
    validation: {
      rule: "has(self.configMap) != has(self.secret)",
      message: "A mount needs exactly one of configMap and secret.",
      messageExpression: "self.name + ' needs exactly one of configMap and secret.'",
    },
    check: ({ name, configMap, secret }) =>
      (configMap === undefined) !== (secret === undefined)
        ? undefined
        : `${name} needs exactly one of configMap and secret.`,
    accepted: pod({ mounts: [{ name: "prompts", path: "/etc/prompts", configMap: { name: "prompts" } }] }),
    refused: pod({ mounts: [{ name: "prompts", path: "/etc/prompts" }] }),
    expect: "prompts needs exactly one of configMap and secret",
  }),
  rule<Pod["mounts"][number]>({
    id: "mount-path-free",
    path: "spec.pod.mounts[]",
    validation: {
      rule: `!(self.path in ${celList(TAKEN)} || ${celList(WHOLLY_TAKEN)}.exists(p, self.path == p || self.path.startsWith(p + '/')))`,
      message: "The image or the operator uses this directory; choose another, such as /etc/prompts.",
      messageExpression:
        "self.path + ' is used by the image or the operator; choose another directory, such as /etc/prompts.'",
      fieldPath: ".path",
    },
    check: ({ path }) =>
      isTaken(path)
        ? `${path} is used by the image or the operator; choose another directory, such as /etc/prompts.`
        : undefined,
    accepted: pod({ mounts: [{ name: "a", path: "/etc/llm", secret: { name: "certs" } }] }),
    refused: pod({ mounts: [{ name: "a", path: "/etc/llmbridge/config", secret: { name: "certs" } }] }),
    expect: "/etc/llmbridge/config is used by the image or the operator",
  }),
  rule<Pod["mounts"]>({
    id: "mount-paths-differ",
    path: "spec.pod.mounts",
    validation: {
      rule: "self.all(m, self.filter(o, o.path == m.path).size() == 1)",
      message: "Two mounts have the same path; give each a directory of its own.",
    },
    check: (mounts) =>
      new Set(mounts.map(({ path }) => path)).size === mounts.length
        ? undefined
        : "Two mounts have the same path; give each a directory of its own.",
    accepted: pod({
      mounts: [
        { name: "a", path: "/data/a", secret: { name: "certs" } },
        { name: "b", path: "/data/b", secret: { name: "certs" } },
      ],
    }),
    refused: pod({
      mounts: [
        { name: "a", path: "/data/a", secret: { name: "certs" } },
        { name: "b", path: "/data/a", secret: { name: "certs" } },
      ],
    }),
    expect: "Two mounts have the same path",
  }),
];
