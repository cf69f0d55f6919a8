import type { Stage } from "./bed.ts";
import { isOwnWrite, type ProxiedRequest } from "./proxy.ts";
import { reset } from "./strike.ts";

/**
 * Kills the operator at its next such write, before the server gets it or after it has carried it out, and starts another.
 * @param options what the other is started with
 */
export function diesAt(
  stage: Stage,
  isTheOne: (write: ProxiedRequest) => boolean,
  moment: "Before" | "After",
  options?: Parameters<Stage["start"]>[0],
): { readonly restarted: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stage.proxy.when((request) => isOwnWrite(request) && isTheOne(request), reset(moment === "After"), {
    times: 1,
    onStruck: () => {
      stage
        .kill()
        .then(() => stage.start(options))
        .then(() => resolve(), reject);
    },
  });
  return { restarted: promise };
}
