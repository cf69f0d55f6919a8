/** What a test imports that plays every order of events over thousands of worlds. */
const EXPLORES = /from "[^"]*\/model\/explore\.ts"/;
const LEFT_OUT = /\.server\.test\.ts$|\/error-probabilities\.test\.ts$/;

/**
 * Whether a test file of operator/evidence or operator/rollout is asked about each change. Left out are those that start servers, and those that play
 * thousands of rollouts: nearly each change would have these run again.
 */
export const isAsked = (path: string, source: string): boolean =>
  !LEFT_OUT.test(path) && !EXPLORES.test(source);
