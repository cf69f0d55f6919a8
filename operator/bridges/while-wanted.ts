import { linkSignals, whenAborted } from "../kube/signals.ts";
import type { AdministratorSettings } from "../settings/file.ts";
import type { SettingsFile } from "../settings/watch.ts";

interface Wanted {
  readonly settings: SettingsFile;
  readonly isWanted: (settings: AdministratorSettings) => boolean;
  /** Runs until its signal aborts; never rejects. */
  readonly start: (signal: AbortSignal) => Promise<void>;
  /** Called each time that it has been turned on or off. */
  readonly onTurn?: () => void;
}

/** Runs something for as long as the settings ask for it, one turn after the other, until the signal aborts; never rejects. */
export async function runWhileWanted(
  { settings, isWanted, start, onTurn }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  let running = Promise.resolve();
  let turn: AbortController | undefined;
  const turnOnOrOff = (): void => {
    const wanted = isWanted(settings.current());
    if (wanted === (turn !== undefined)) return;
    turn?.abort();
    turn = wanted ? new AbortController() : undefined;
    if (turn) {
      const linked = linkSignals([signal, turn.signal]);
      running = running.then(() => start(linked.signal)).finally(linked.release);
    }
    onTurn?.();
  };
  settings.onChange(turnOnOrOff);
  turnOnOrOff();
  await whenAborted(signal);
  await running;
}
