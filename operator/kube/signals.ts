import type { Clock } from "./clock.ts";

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Ends the link. Must be called, or the parents keep the child alive. */
  release(): void;
}

/**
 * A signal that aborts with the first of its parents or after a deadline.
 * In place of AbortSignal.any because parents here live as long as the process and the deadline follows the given clock.
 */
export function linkSignals(
  parents: readonly (AbortSignal | undefined)[],
  deadline?: { readonly clock: Clock; readonly ms: number; readonly reason: () => unknown },
): LinkedSignal {
  const controller = new AbortController();
  const present = parents.filter((parent) => parent !== undefined);
  const onAbort = (): void => {
    const parent = present.find((candidate) => candidate.aborted);
    controller.abort(parent?.reason);
  };
  for (const parent of present) parent.addEventListener("abort", onAbort);
  if (present.some((parent) => parent.aborted)) onAbort();
  const timer = deadline?.clock.setTimer(deadline.ms, () => controller.abort(deadline.reason()));
  return {
    signal: controller.signal,
    release() {
      timer?.cancel();
      for (const parent of present) parent.removeEventListener("abort", onAbort);
    },
  };
}

/** Resolves when the signal aborts, or at once where it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Settles as the promise does, or rejects with the signal's reason where that aborts first: for work that does not look at its signal all the time.
 * @param late is given what the promise resolves with after that, to let it go
 */
export function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason);
      promise.then(late, () => {});
    };
    if (signal.aborted) return leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
