/** What a command works with: the streams, the clock and the terminal, so that tests can give their own. */
export interface Terminal {
  /** Writes to stdout. */
  readonly write: (text: string) => void;
  /** Writes to stderr. */
  readonly warn: (text: string) => void;
  readonly readStdin: () => Promise<string>;
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** Columns and rows, where stdout is a terminal and may be redrawn; asked anew each time, since windows change. */
  readonly size: () => Size | undefined;
  /** Colours are welcome. */
  readonly coloured: boolean;
  /** Ends watching and waiting; its reason is an Interruption. */
  readonly signal: AbortSignal;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Width that text is laid out for: that of the terminal; on a pipe lines are as long as they are. */
export function widthOf(terminal: Pick<Terminal, "size">): number {
  return terminal.size()?.columns ?? Number.POSITIVE_INFINITY;
}

/** A terminal that takes escape codes; one called dumb does not. */
export function sizeOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Size | undefined {
  if (stream.isTTY !== true || environment.TERM === "dumb") return undefined;
  // A terminal whose size nobody has set says 0.
  return { columns: stream.columns || 80, rows: stream.rows || 24 };
}

/** Colours appear on a terminal only, and never where NO_COLOR is set to anything (no-color.org). */
export function wantsColour(
  size: Size | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return size !== undefined && !environment.NO_COLOR;
}
