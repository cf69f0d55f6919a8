import { hostname } from "node:os";
import * as z from "zod";

const port = z.int().min(0).max(65_535);
const wholeNumber = z.preprocess(
  (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
  port,
);
const yesOrNo = z.preprocess(
  (value) => (value === "true" || value === "" ? true : value === "false" ? false : value),
  z.boolean(),
);
const names = z.preprocess(
  (value) => (typeof value === "string" ? value.split(",").filter((name) => name !== "") : value),
  z.array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)),
);
/** Kubernetes, "Label selectors": what may be said of one label. */
const LABEL = String.raw`(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?`;
const REQUIREMENT = String.raw`(?:!?${LABEL}|${LABEL} ?(?:=|==|!=) ?${VALUE}|${LABEL} (?:in|notin) \(${VALUE}(?:, ?${VALUE})*\))`;
const selector = z.string().regex(new RegExp(`^(?:${REQUIREMENT}(?:, ?${REQUIREMENT})*)?$`));
const dnsName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);

interface Entry<S extends z.ZodType> {
  readonly schema: S;
  /** What a value must be, as the end of the sentence "it must be ...". */
  readonly rule: string;
  readonly description: string;
  /** In words where it is computed. */
  readonly defaultText: string;
  readonly fallback: (environment: Environment) => z.output<S>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const entry = <S extends z.ZodType>(fields: Entry<S>): Entry<S> => fields;
const constant = <T>(value: T): { readonly defaultText: string; readonly fallback: () => T } => ({
  defaultText: String(value),
  fallback: () => value,
});

/**
 * Every flag of the operator. Its name on the command line is the key in kebab case (`--metrics-port`), in the environment the key
 * in upper case behind LLMBRIDGE_ (`LLMBRIDGE_METRICS_PORT`). A flag wins over the environment, and that over the default.
 */
export const PROCESS_SETTINGS = {
  settings: entry({
    schema: z.string().min(1),
    rule: "the path of a file",
    description: "The administrator's settings file. It is read again when it changes.",
    ...constant("/etc/llmbridge-operator/settings.yaml"),
  }),
  watchNamespaces: entry({
    schema: names,
    rule: "names of namespaces separated by commas",
    description:
      "Namespaces whose bridges are run. Each is watched by itself, so that rights in these suffice.",
    defaultText: "all namespaces",
    fallback: () => [],
  }),
  bridgeSelector: entry({
    schema: selector,
    rule: "a label selector such as shard=a or shard notin (a,b)",
    description:
      "Labels of the bridges that are run; with another selector, and a Lease of its own, another operator runs others. A bridge whose labels change goes from one to the other.",
    defaultText: "every bridge",
    fallback: () => "",
  }),
  leaderElection: entry({
    schema: yesOrNo,
    rule: "true or false",
    description:
      "Take a Lease before acting. Needed wherever two operators could run, for instance during an update.",
    ...constant(true),
  }),
  leaseName: entry({
    schema: dnsName,
    rule: "a name of lower-case letters, digits, dashes and dots",
    description: "Name of the Lease. Operators with the same Lease take turns.",
    ...constant("llmbridge-operator"),
  }),
  leaseNamespace: entry({
    schema: dnsName,
    rule: "the name of a namespace",
    description: "Namespace of the Lease.",
    defaultText: "the value of POD_NAMESPACE, else default",
    fallback: (environment) => environment.POD_NAMESPACE || "default",
  }),
  instance: entry({
    schema: z.string().min(1).max(128),
    rule: "a text of 1 to 128 characters",
    description: "Name of this process in Events and in the Lease.",
    defaultText: "the value of POD_NAME, else the host's name",
    fallback: (environment) => environment.POD_NAME || hostname(),
  }),
  metricsPort: entry({
    schema: wholeNumber,
    rule: "a port from 0 to 65535 (0 picks a free one)",
    description: "Port of /metrics.",
    ...constant(8080),
  }),
  healthPort: entry({
    schema: wholeNumber,
    rule: "a port from 0 to 65535 (0 picks a free one)",
    description: "Port of /healthz and /readyz.",
    ...constant(8081),
  }),
  logLevel: entry({
    schema: z.enum(["debug", "info", "warn", "error"]),
    rule: "debug, info, warn or error",
    description: "Least important messages that are logged.",
    defaultText: "info",
    fallback: (): "debug" | "info" | "warn" | "error" => "info",
  }),
  kubeconfig: entry({
    schema: z.string().min(1).optional(),
    rule: "the path of a file",
    description: "How to reach the API server, when not running in the cluster.",
    defaultText: "the pod's service account, else KUBECONFIG, else ~/.kube/config",
    fallback: () => undefined,
  }),
  context: entry({
    schema: z.string().min(1).optional(),
    rule: "the name of a context",
    description: "Context of the kubeconfig.",
    defaultText: "its current context",
    fallback: () => undefined,
  }),
} as const;

export type ProcessSettingName = keyof typeof PROCESS_SETTINGS;

export type ProcessSettings = {
  readonly [K in ProcessSettingName]: z.output<(typeof PROCESS_SETTINGS)[K]["schema"]>;
};

/** `metricsPort` as `--metrics-port`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `metricsPort` as `LLMBRIDGE_METRICS_PORT`. */
export function environmentName(key: string): string {
  return `LLMBRIDGE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
