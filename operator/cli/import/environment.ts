import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import type { OldContainer, OldVariable, OldVariables } from "./old-pod.ts";
import { type Carried, carried, type Note } from "./parts.ts";

type Pod = NonNullable<LLMBridgeSpecInput["pod"]>;
export type Variable = NonNullable<Pod["env"]>[number];
type Variables = NonNullable<Pod["envFrom"]>[number];

/** The operator sets these itself, to the same. */
const SAME: Readonly<Record<string, string>> = {
  POD_NAME: "metadata.name",
  POD_NAMESPACE: "metadata.namespace",
};

/** The container's variables as those of `spec.pod.env`; NODE_OPTIONS and its like are answered by the rules of the resource. */
export function environment({ env = [] }: OldContainer): Carried<Variable> {
  const own = env.filter(
    ({ name, valueFrom }) => SAME[name] === undefined || SAME[name] !== valueFrom?.fieldRef?.fieldPath,
  );
  const read = own.map((one) => variableOf(one));
  const result = carried(
    read.flatMap(({ variable }) => variable ?? []),
    (one) => ({ pod: { env: [one] } }),
    ({ name }) => `env ${name}`,
  );
  return { parts: result.parts, notes: [...read.flatMap(({ note }) => note ?? []), ...result.notes] };
}

function variableOf({ name, value, valueFrom }: OldVariable): { variable?: Variable; note?: Note } {
  const about = `env ${name}`;
  const { secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef } = valueFrom ?? {};
  if (secretKeyRef) {
    const { name: secret = "", key, optional } = secretKeyRef;
    const variable = { name, secretRef: { name: secret, key } };
    const message = `the Secret "${secret}" was optional, and is needed now: a pod does not start without it.`;
    return optional ? { variable, note: { about, message } } : { variable };
  }
  if (configMapKeyRef) {
    const { name: map = "", key, optional = false } = configMapKeyRef;
    return { variable: { name, configMapRef: { name: map, key, ...(optional ? { optional } : {}) } } };
  }
  const from = fieldRef?.fieldPath ?? resourceFieldRef?.resource;
  if (from !== undefined)
    return {
      note: {
        about,
        message: `it takes its value from ${from} of the pod, which spec.pod.env cannot; give it a value, or leave it out: POD_NAME and POD_NAMESPACE are set in every pod.`,
      },
    };
  return { variable: { name, value: value ?? "" } };
}

/** Whole ConfigMaps and Secrets as variables. */
export function environmentFrom({ envFrom = [] }: OldContainer): Carried<Variables> {
  return carried(
    envFrom.map(variablesOf),
    (one) => ({ pod: { envFrom: [one] } }),
    ({ configMapRef, secretRef }) => `envFrom ${(configMapRef ?? secretRef)?.name ?? ""}`,
  );
}

function variablesOf({ prefix, configMapRef, secretRef }: OldVariables): Variables {
  const ref = (one: NonNullable<OldVariables["secretRef"]>) => ({
    name: one.name ?? "",
    ...(one.optional ? { optional: true } : {}),
  });
  return {
    ...(prefix ? { prefix } : {}),
    ...(configMapRef ? { configMapRef: ref(configMapRef) } : {}),
    ...(secretRef ? { secretRef: ref(secretRef) } : {}),
  };
}
