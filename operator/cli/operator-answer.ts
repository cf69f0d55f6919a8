import type { BridgeView } from "./bridge-view.ts";
import type { Connection } from "./connection.ts";
import { CliFailure, EXIT, interruptedFailure } from "./failure.ts";
import { endedBy, follow } from "./follow.ts";
import type { Terminal } from "./terminal.ts";

/** How long an operator is waited for that runs: a look takes less than a second. */
const ANSWER_MS = 30_000;

interface Waited {
  readonly name: string;
  /** Default 30 s. */
  readonly timeoutMs: number | undefined;
}

/**
 * Waits until status says what the operator makes of something that is written already.
 * @param answerIn what is waited for; undefined where this state does not have it
 * @param written what becomes of it without an answer: a clause that "when the operator runs" may follow
 * @throws CliFailure when it does not come in time, is not waited for any more, or the bridge is deleted
 */
export async function operatorAnswer<T>(
  connection: Connection,
  { name, timeoutMs = ANSWER_MS }: Waited,
  terminal: Pick<Terminal, "signal">,
  answerIn: (bridge: BridgeView) => T | undefined,
  written = "the command is written and will be obeyed",
): Promise<T> {
  const signal = AbortSignal.any([terminal.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    for await (const { bridge, gone } of follow(connection, name, signal)) {
      if (gone) throw new CliFailure(`${name} was deleted before the operator answered.`);
      const answer = answerIn(bridge);
      if (answer !== undefined) return answer;
    }
  } catch (error) {
    if (!endedBy(signal, error)) throw error;
  }
  if (terminal.signal.aborted) throw interruptedFailure(terminal.signal, `${written}.`);
  throw new CliFailure(
    `the operator has not answered within ${timeoutMs / 1000} s. ${written.charAt(0).toUpperCase()}${written.slice(1)} when the operator runs: kubectl get pods -A -l app.kubernetes.io/name=llmbridge-operator`,
    EXIT.timeout,
  );
}
