import { SetupProblem } from "./problem.ts";
import { createProgress, type Progress } from "./progress.ts";

/** Runs a command of the Makefile: progress goes to standard output, and a problem that a person has to solve is said in its one sentence. */
export async function runProgram(work: (progress: Progress) => Promise<unknown>): Promise<void> {
  const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });
  try {
    await work(progress);
  } catch (error) {
    process.stderr.write(`${error instanceof SetupProblem ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
