import { FILES, MOUNTS, PATHS, PORTS } from "../../../contract/endpoints.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { ANNOTATIONS, childLabels, keptName, revisionName, runtimeName, selectorLabels } from "../names.ts";
import type { KeptConfigMap } from "../references.ts";
import { mountedSecrets, type SecretCopies, secretRead } from "./config.ts";
import { NO_PRIVILEGES, podBasics } from "./pod-basics.ts";

export interface TemplateInput {
  readonly bridge: string;
  readonly revision: string;
  readonly spec: LLMBridgeSpec;
  /** NODE_OPTIONS, UV_THREADPOOL_SIZE and what else tuning computed. */
  readonly env: Readonly<Record<string, string>>;
  readonly terminationGracePeriodSeconds: number;
  /** ConfigMaps of which the revision reads a copy of its own. */
  readonly kept?: readonly KeptConfigMap[];
  /** Names of its copies of Secrets, by the name of the Secret. */
  readonly copies?: SecretCopies;
}

/**
 * The pod template of a revision, rendered once in its life.
 *
 * Satisfies the restricted Pod Security Standard whatever the spec says: the curated overrides cannot reach the security
 * context. Nothing in it depends on the track, so that promotion restarts nothing.
 */
export function podTemplate(input: TemplateInput) {
  const { spec, bridge, revision } = input;
  const secrets = mountedSecrets(spec, input.copies);
  return {
    metadata: {
      labels: { ...spec.pod.labels, ...childLabels(bridge, "bridge"), ...selectorLabels(bridge, revision) },
      annotations: {
        ...spec.pod.annotations,
        "prometheus.io/scrape": "true",
        "prometheus.io/port": String(PORTS.admin),
        "prometheus.io/path": PATHS.metrics,
      },
    },
    spec: {
      ...podBasics(bridge, spec.pod),
      terminationGracePeriodSeconds: input.terminationGracePeriodSeconds,
      ...(spec.pod.priorityClassName ? { priorityClassName: spec.pod.priorityClassName } : {}),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: selectorLabels(bridge, revision) },
        },
      ],
      containers: [container(input)],
      volumes: [
        {
          name: "config",
          configMap: {
            name: revisionName(bridge, revision),
            items: [{ key: FILES.config, path: FILES.config }],
          },
        },
        { name: "runtime", configMap: { name: runtimeName(bridge, revision) } },
        { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
        ...secrets.map((secretName, index) => ({ name: secretVolume(index), secret: { secretName } })),
        ...spec.pod.mounts.map((mount) => ({ name: mountVolume(mount.name), ...volumeSource(input, mount) })),
      ],
    },
  };
}

/** By number, because volume names are DNS labels of at most 63 characters and Secret names need not be. */
const secretVolume = (index: number) => `secret-${index}`;

/** Told apart from the operator's own volumes. */
const mountVolume = (name: string) => `mount-${name}`;

type Mount = LLMBridgeSpec["pod"]["mounts"][number];

function volumeSource(input: TemplateInput, { configMap, secret }: Mount) {
  if (configMap) return { configMap: { name: nameOf(input, configMap), optional: configMap.optional } };
  return secret
    ? { secret: { secretName: secretRead(secret, input.copies), optional: secret.optional } }
    : {};
}

/** The ConfigMap that pods of this revision read: the copy, but where its changes are ignored. */
function nameOf(
  { bridge, revision, kept = [] }: TemplateInput,
  ref: { readonly name: string; readonly onChange: "Canary" | "Ignore" },
): string {
  const copy = ref.onChange === "Canary" ? kept.find(({ name }) => name === ref.name) : undefined;
  return copy ? keptName(bridge, revision, copy.index) : ref.name;
}

function variableOf(input: TemplateInput, one: LLMBridgeSpec["pod"]["env"][number]) {
  const { name, value = "", secretRef, configMapRef } = one;
  if (secretRef)
    return {
      name,
      valueFrom: { secretKeyRef: { name: secretRead(secretRef, input.copies), key: secretRef.key } },
    };
  if (!configMapRef) return { name, value };
  const { key, optional } = configMapRef;
  return { name, valueFrom: { configMapKeyRef: { name: nameOf(input, configMapRef), key, optional } } };
}

function variablesOf(input: TemplateInput, one: LLMBridgeSpec["pod"]["envFrom"][number]) {
  const prefix = one.prefix === undefined ? {} : { prefix: one.prefix };
  const { configMapRef, secretRef } = one;
  if (secretRef) {
    const { optional } = secretRef;
    return { ...prefix, secretRef: { name: secretRead(secretRef, input.copies), optional } };
  }
  if (!configMapRef) return prefix;
  return { ...prefix, configMapRef: { name: nameOf(input, configMapRef), optional: configMapRef.optional } };
}

function container(input: TemplateInput) {
  const { spec } = input;
  return {
    name: "bridge",
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      ...Object.keys(input.env)
        .sort()
        .map((name) => ({ name, value: input.env[name] ?? "" })),
      ...spec.pod.env.map((one) => variableOf(input, one)),
    ],
    ...(spec.pod.envFrom.length > 0
      ? { envFrom: spec.pod.envFrom.map((one) => variablesOf(input, one)) }
      : {}),
    ports: [
      { name: "traffic", containerPort: PORTS.traffic },
      { name: "admin", containerPort: PORTS.admin },
    ],
    resources: spec.resources,
    securityContext: NO_PRIVILEGES,
    // A start-up of 60 s is allowed before liveness counts; readiness is asked every second so that a canary serves soon.
    startupProbe: { httpGet: { path: PATHS.live, port: "admin" }, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: {
      httpGet: { path: PATHS.ready, port: "admin" },
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    livenessProbe: {
      httpGet: { path: PATHS.live, port: "admin" },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    // V8's last words stand in the pod's status, so that a heap abort can be told from a segmentation fault.
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "config", mountPath: MOUNTS.config, readOnly: true },
      { name: "runtime", mountPath: MOUNTS.runtime, readOnly: true },
      { name: "tmp", mountPath: MOUNTS.tmp },
      ...mountedSecrets(spec, input.copies).map((secretName, index) => ({
        name: secretVolume(index),
        mountPath: `${MOUNTS.secrets}/${secretName}`,
        readOnly: true,
      })),
      ...spec.pod.mounts.map(({ name, path }) => ({
        name: mountVolume(name),
        mountPath: path,
        readOnly: true,
      })),
    ],
  };
}

export interface DeploymentInput extends TemplateInput {
  readonly namespace: string;
  readonly owner: object;
  readonly rendererVersion: string;
  readonly hashAlgorithm: string;
}

/** The Deployment of a revision, without replicas. Once created, only its replicas and its track label are ever written. */
export function deployment(input: DeploymentInput) {
  const { bridge, revision } = input;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: revisionName(bridge, revision),
      namespace: input.namespace,
      labels: { ...childLabels(bridge, "bridge"), ...selectorLabels(bridge, revision) },
      annotations: {
        [ANNOTATIONS.renderer]: input.rendererVersion,
        [ANNOTATIONS.hashAlgorithm]: input.hashAlgorithm,
        [ANNOTATIONS.image]: input.spec.image,
      },
      ownerReferences: [input.owner],
    },
    spec: {
      revisionHistoryLimit: 0,
      progressDeadlineSeconds: 3600,
      selector: { matchLabels: selectorLabels(bridge, revision) },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: podTemplate(input),
    },
  };
}
