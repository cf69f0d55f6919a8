import type { Arguments } from "./arguments.ts";

/** The options by which the person named the place, so that a command can be typed as it is shown. */
export function placeOf({
  namespace,
  context,
  kubeconfig,
}: Pick<Arguments, "namespace" | "context" | "kubeconfig">): string {
  const named = { "-n": namespace, "--context": context, "--kubeconfig": kubeconfig };
  return Object.entries(named)
    .flatMap(([option, value]) => (value === undefined ? [] : [` ${option} ${value}`]))
    .join("");
}
