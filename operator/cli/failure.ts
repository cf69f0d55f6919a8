/** Exit codes of `kubectl llmbridge`. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Refused, not found, not allowed, or `lint` found something. */
  failed: 1,
  /** Wrong use: an unknown command or option, a missing name. */
  usage: 2,
  /** The operator did not answer in time, or what `status` follows was not over in time. */
  timeout: 3,
  /** `status`: rolled back, stalled or refused. */
  notPromoted: 4,
  /** `status --no-wait`: neither promoted nor given up yet. */
  inProgress: 5,
  /** Interrupted by SIGINT while it waited; 128 and the number of the signal, as shells say it. */
  interrupted: 130,
  /** The same by SIGTERM. */
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end with a sentence for the person and an exit code, and no stack trace. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Why the terminal's signal comes. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly by: "SIGINT" | "SIGTERM";

  constructor(by: "SIGINT" | "SIGTERM") {
    super(`interrupted by ${by}`);
    this.by = by;
  }
}

/** The end of a command that was interrupted while it waited. */
export function interruptedFailure({ reason }: AbortSignal, goesOn: string): CliFailure {
  const isTerminated = reason instanceof Interruption && reason.by === "SIGTERM";
  return new CliFailure(`interrupted; ${goesOn}`, isTerminated ? EXIT.terminated : EXIT.interrupted);
}
