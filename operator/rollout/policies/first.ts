import type { Context } from "../context.ts";

/** One question about a rollout; undefined where it has nothing to say. */
export type Policy<Answer> = (context: Context) => Answer | undefined;

/** The answer of the first policy that has one: the order of the list is the order of importance. */
export function first<Answer>(policies: readonly Policy<Answer>[], context: Context): Answer | undefined {
  for (const policy of policies) {
    const answer = policy(context);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
