import type { Validation } from "../../schema/structural.ts";
import type { LLMBridgeSpec, LLMBridgeSpecInput } from "../spec.ts";

/** A deep, partial change of a spec. Lists are replaced; `null` takes a field away. */
export type SpecPatch = { readonly [K in keyof LLMBridgeSpecInput]?: unknown };

/** An object to try a rule on: what differs from the smallest valid bridge. */
export interface Trial {
  readonly name?: string;
  readonly spec?: SpecPatch;
  /** For rules that compare with the stored object: the spec before the change. */
  readonly before?: SpecPatch;
}

/** What a check sees beside its own node, for the rules that the API server evaluates at the root or against the stored object. */
export interface CheckContext {
  readonly name: string;
  readonly before?: LLMBridgeSpec;
}

/**
 * A rule of the resource: CEL for the API server, and the same in TypeScript for `lint` and for the operator's border.
 * The server test proves with `accepted` and `refused` that both say the same, word for word.
 */
export interface Rule {
  /** Stable name, kebab case. */
  readonly id: string;
  /** Where it stands: `spec.rollout.steps`, or `spec.alerts[]` for each entry; "" is the whole object. */
  readonly path: string;
  readonly validation: Validation;
  /** The sentence for a violation; undefined when the node is in order. */
  readonly check: (node: never, context: CheckContext) => string | undefined;
  readonly accepted: Trial;
  readonly refused: Trial;
  /** Part of the sentence that the refused trial must earn. */
  readonly expect: string;
}

/** Types the check by the node it stands on. */
export function rule<Node>(
  definition: Omit<Rule, "check"> & { check: (node: Node, context: CheckContext) => string | undefined },
): Rule {
  return definition as Rule;
}
