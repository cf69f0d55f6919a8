import { setTimeout as delay } from "node:timers/promises";
import type { Arguments } from "../arguments.ts";
import type { BridgeView } from "../bridge-view.ts";
import { type Connection, readBridge } from "../connection.ts";
import { CliFailure, EXIT, type ExitCode, interruptedFailure } from "../failure.ts";
import type { StatusOutput } from "../outputs.ts";
import { placeOf } from "../place.ts";
import { clockText } from "../render/age.ts";
import { ended } from "../render/sentence.ts";
import { serialised } from "../render/serialised.ts";
import { firstState } from "../status/first-state.ts";
import { progressOf, type Told, toldAfter } from "../status/progress.ts";
import { askedRevision, EXIT_OF, type Standing, standingOf } from "../status/standing.ts";
import { statesOf } from "../status/state-changes.ts";
import type { Terminal } from "../terminal.ts";

type StatusArguments = Arguments & { readonly name: string };

/** Both may be cured from elsewhere in the same moment, as when a manifest's ConfigMap comes after its bridge. */
const TENTATIVE: ReadonlySet<Standing["outcome"]> = new Set(["Refused", "Stalled"]);
const SETTLE_MS = 5_000;
const settles = (signal: AbortSignal): Promise<unknown> => delay(SETTLE_MS, undefined, { signal });

/** The newest state that came, for what is said when the time is over. */
interface Seen {
  bridge: BridgeView | undefined;
}

interface Followed {
  readonly signal: AbortSignal;
  readonly onTrouble: (sentence: string) => void;
  readonly settle: typeof settles;
  readonly first: BridgeView;
  readonly seen: Seen;
}

/**
 * `status NAME`: follows the change that the spec asks for to its end, or tells with --no-wait how it stands. The exit code tells the same.
 * @param settle is over when a refusal has stood for long enough to be the end; its signal comes when nobody waits for that any more. Default: 5 s
 */
export async function status(
  args: StatusArguments,
  connection: Connection,
  terminal: Terminal,
  settle = settles,
): Promise<ExitCode> {
  const deadline = args.timeoutMs === undefined ? [] : [AbortSignal.timeout(args.timeoutMs)];
  const signal = AbortSignal.any([terminal.signal, ...deadline]);
  const onTrouble = (sentence: string) =>
    terminal.warn(`${timeText(undefined, terminal)}  ${ended(sentence)}\n`);
  const seen: Seen = { bridge: undefined };
  try {
    seen.bridge = args.noWait
      ? await readBridge(connection, args.name, { signal })
      : await firstState(connection, args.name, { signal, onTrouble });
    const standing = args.noWait
      ? standingOf(seen.bridge, args.until, placeOf(args))
      : await followed(args, connection, terminal, { signal, onTrouble, settle, first: seen.bridge, seen });
    tell(args, seen.bridge, standing, terminal);
    return EXIT_OF[standing.outcome];
  } catch (error) {
    if (!signal.aborted || error instanceof CliFailure) throw error;
  }
  if (terminal.signal.aborted)
    throw interruptedFailure(terminal.signal, "the change goes on without being followed.");
  throw timeOver(args, seen.bridge, terminal);
}

function timeOver(args: StatusArguments, bridge: BridgeView | undefined, terminal: Terminal): CliFailure {
  const over = `not over within ${args.timeoutText ?? ""}`;
  const at = `${args.name}${placeOf(args)}`;
  if (bridge === undefined)
    return new CliFailure(`${over}: the API server has not answered what ${args.name} is.`, EXIT.timeout);
  const standing = standingOf(bridge, args.until, placeOf(args));
  if (args.output !== undefined) tell(args, bridge, standing, terminal);
  return new CliFailure(
    `${over}. ${standing.message} \`kubectl llmbridge explain ${at}\` says what it waits for.`,
    EXIT.timeout,
  );
}

/** The end, with a line for everything that matters on the way to it. */
async function followed(
  args: StatusArguments,
  connection: Connection,
  terminal: Terminal,
  { signal, onTrouble, settle, first, seen }: Followed,
): Promise<Standing> {
  const line = args.output === undefined ? terminal.write : terminal.warn;
  const over = new AbortController();
  const states = statesOf(connection, first, {
    onTrouble,
    signal: AbortSignal.any([signal, over.signal]),
  });
  let before: Told | undefined;
  let settling: { readonly standing: Standing; readonly over: Promise<"Settled"> } | undefined;
  let next = states.next();
  try {
    for (;;) {
      const got = await Promise.race([next, ...(settling ? [settling.over] : [])]);
      if (got === "Settled") return settling?.standing as Standing;
      if (got.done) throw signal.reason;
      next = states.next();
      const bridge = got.value;
      seen.bridge = bridge;
      const standing = standingOf(bridge, args.until, placeOf(args));
      const isTentative = TENTATIVE.has(standing.outcome);
      if (standing.outcome !== "InProgress" && !isTentative && before === undefined) return standing;
      for (const { at, what } of progressOf(bridge, before, placeOf(args)))
        line(`${timeText(at, terminal)}  ${what}\n`);
      before = toldAfter(bridge, before);
      if (standing.outcome !== "InProgress" && !isTentative) return standing;
      settling = isTentative
        ? { standing, over: settling?.over ?? settle(over.signal).then(() => "Settled" as const) }
        : undefined;
      settling?.over.catch(() => {});
    }
  } finally {
    over.abort();
    await next.catch(() => {});
  }
}

const timeText = (at: string | undefined, { nowMs }: Terminal): string =>
  clockText(at ?? new Date(nowMs()).toISOString(), nowMs());

/** The answer: a sentence for a person, the whole record with `-o`. */
function tell(
  args: StatusArguments,
  bridge: BridgeView,
  { outcome, message }: Standing,
  terminal: Terminal,
): void {
  const { metadata, spec, status: at } = bridge;
  if (args.output === undefined) {
    terminal.write(`${metadata.name}: ${message}\n`);
    return;
  }
  const revision = askedRevision(bridge);
  const stable = at.rollout?.stableRevision ?? at.stable?.revision;
  const record: StatusOutput = {
    bridge: { namespace: metadata.namespace ?? "", name: metadata.name },
    outcome,
    generation: metadata.generation ?? 0,
    ...(revision === undefined ? {} : { revision }),
    image: spec.image,
    ...(stable === undefined ? {} : { stable }),
    phase: at.phase ?? "",
    message,
  };
  terminal.write(serialised(record, args.output));
}
