import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import type { OldContainer, TextMap } from "./old-pod.ts";
import { type Note, refusalOf } from "./parts.ts";

type Resources = NonNullable<LLMBridgeSpecInput["resources"]>;
const KINDS = ["cpu", "memory"] as const;

/** Requests and limits. A request that is missing is the limit, as Kubernetes has it; a limit that is missing is the resource's default. */
export function sizes({ resources = {} }: OldContainer): {
  readonly resources: Resources;
  readonly notes: readonly Note[];
} {
  const limits = only(resources.limits);
  const requests = { ...limits, ...only(resources.requests) };
  const notes: Note[] = KINDS.filter((kind) => limits[kind] === undefined).map((kind) => ({
    about: `resources.limits.${kind}`,
    message: `there is none, so the default of the resource counts (1 CPU, 512Mi); ${kind === "memory" ? "the heap is computed from it" : "worker threads are computed from it"}, so set spec.resources.limits.${kind} to what a pod may use.`,
  }));
  const others = Object.keys({ ...resources.requests, ...resources.limits }).filter(
    (name) => name !== "cpu" && name !== "memory",
  );
  notes.push(
    ...others.map((name) => ({ about: `resources ${name}`, message: "only cpu and memory are carried." })),
  );
  const all = { requests, limits };
  const refusal = refusalOf({ resources: all });
  if (refusal === undefined) return { resources: all, notes };
  return {
    resources: {},
    notes: [
      ...notes,
      { about: "resources", message: `${refusal} They are left at the resource's defaults.` },
    ],
  };
}

const only = (amounts: TextMap = {}) =>
  Object.fromEntries(KINDS.flatMap((kind) => (amounts[kind] === undefined ? [] : [[kind, amounts[kind]]])));
