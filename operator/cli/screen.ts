import { setTimeout as delay } from "node:timers/promises";
import { endedBy } from "./follow.ts";
import type { Size, Terminal } from "./terminal.ts";

/** On a terminal times go on between changes. */
const REDRAW_EVERY_MS = 1000;
/** Changes that come together are drawn together. */
const GATHER_MS = 50;

const CLEAR = "\u001b[2J\u001b[H";
const HOME = "\u001b[H";
const CLEAR_REST_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** The codes that put a text in place of what the terminal shows, without a flicker; what does not fit is counted. */
export function screenText(text: string, { rows }: Size, isFirst: boolean): string {
  const lines = text.trimEnd().split("\n");
  const room = Math.max(1, rows - 1);
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `... ${lines.length - room + 1} more lines; make the window taller.`];
  return `${isFirst ? CLEAR : HOME}${shown.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join("")}${CLEAR_BELOW}`;
}

/**
 * Draws what `render` gives, at every call of the function that `begin` is given and every second, until the signal or until `render`
 * gives `last`.
 * @throws what `begin` throws
 */
export async function redrawing(
  terminal: Terminal,
  begin: (
    changed: () => void,
    signal: AbortSignal,
  ) => Promise<(size: Size) => { text: string; last?: boolean }>,
): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([terminal.signal, ended.signal]);
  let changed = Promise.withResolvers<void>();
  try {
    const render = await begin(() => changed.resolve(), signal);
    for (let isFirst = true; ; isFirst = false) {
      changed = Promise.withResolvers<void>();
      const size = terminal.size() ?? { columns: 80, rows: 24 };
      const { text, last = false } = render(size);
      terminal.write(screenText(text, size, isFirst));
      if (last) return;
      await Promise.race([changed.promise, delay(REDRAW_EVERY_MS, undefined, { signal })]);
      await delay(GATHER_MS, undefined, { signal });
    }
  } catch (error) {
    if (!endedBy(terminal.signal, error)) throw error;
  } finally {
    ended.abort();
  }
}
