import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import type { OldContainer, TextMap } from "./old-pod.ts";
import { type Note, refusalOf } from "./parts.ts";

type Resources = NonNullable<LLMBridgeSpecInput["resources"]>;
const KINDS = ["cpu", "memory"] as const;

/**
 * Requests and limits. A request that is missing is the limit, as Kubernetes has it; a limit that is missing is the resource's default, or the request
 * where that is more.
 */
export function sizes({ resources = {} }: OldContainer): {
  readonly resources: Resources;
  readonly notes: readonly Note[];
} {
  const limits = only(resources.limits);
  const requests = { ...limits, ...only(resources.requests) };
  const missing = KINDS.filter((kind) => limits[kind] === undefined);
  const raised = Object.fromEntries(
    missing.flatMap((kind) => (exceedsDefault(kind, requests[kind]) ? [[kind, requests[kind]]] : [])),
  );
  const notes: Note[] = missing.map((kind) => ({
    about: `resources.limits.${kind}`,
    message: `there is none, so ${raised[kind] === undefined ? "the default of the resource counts (1 CPU, 512Mi)" : `the request counts (${raised[kind]})`}; ${kind === "memory" ? "the heap is computed from it" : "worker threads are computed from it"}, so set spec.resources.limits.${kind} to what a pod may use.`,
  }));
  const others = Object.keys({ ...resources.requests, ...resources.limits }).filter(
    (name) => name !== "cpu" && name !== "memory",
  );
  notes.push(
    ...others.map((name) => ({ about: `resources ${name}`, message: "only cpu and memory are carried." })),
  );
  const all = { requests, limits: { ...limits, ...raised } };
  const refusal = refusalOf({ resources: all });
  if (refusal === undefined) return { resources: all, notes };
  // What is refused may be one of the two alone.
  const kept = KINDS.map((kind) => without(all, kind)).find(
    (some) => refusalOf({ resources: some }) === undefined,
  );
  const left = kept === undefined ? "They are" : "What is not carried is";
  return {
    resources: kept ?? {},
    notes: [...notes, { about: "resources", message: `${refusal} ${left} left at the resource's defaults.` }],
  };
}

type Amounts = Partial<Record<(typeof KINDS)[number], string>>;

/** Whether a request is more than the default limit. One that cannot be read is refused as a limit too, in the same words. */
const exceedsDefault = (kind: keyof Amounts, request: string | undefined): boolean =>
  request !== undefined && refusalOf({ resources: { requests: { [kind]: request } } }) !== undefined;

const without = ({ requests, limits }: Record<"requests" | "limits", Amounts>, left: keyof Amounts) => {
  const rest = (amounts: Amounts) =>
    Object.fromEntries(Object.entries(amounts).filter(([kind]) => kind !== left));
  return { requests: rest(requests), limits: rest(limits) };
};

const only = (amounts: TextMap = {}): Amounts =>
  Object.fromEntries(KINDS.flatMap((kind) => (amounts[kind] === undefined ? [] : [[kind, amounts[kind]]])));
