import type { Context } from "./context.ts";

/** Nothing has to be proved anew of a version that was stable a little while ago and did not fail since. */
export const isKnownGood = ({ input, state }: Context): boolean =>
  (state.served ?? []).slice(0, input.spec.rollbackWindow).includes(input.desired.revision);

/** Whether a canary that starts now is to be compared with pods of the stable version that start with it. */
export const wantsBaseline = (context: Context): boolean =>
  context.input.spec.baseline === "SameAge" && !isKnownGood(context);
