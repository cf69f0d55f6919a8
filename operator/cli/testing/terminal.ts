import type { Size, Terminal } from "../terminal.ts";

/** A terminal that keeps what is written; a pipe without colours unless told otherwise. */
export function testTerminal(
  change: Partial<Omit<Terminal, "size">> & { size?: Size } = {},
): Terminal & { readonly out: string; readonly err: string } {
  let out = "";
  let err = "";
  const { size, ...rest } = change;
  return {
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    readStdin: async () => "",
    nowMs: Date.now,
    newId: () => "id-1",
    coloured: false,
    signal: new AbortController().signal,
    ...rest,
    size: () => size,
    write: (text) => {
      out += text;
      change.write?.(text);
    },
    warn: (text) => {
      err += text;
      change.warn?.(text);
    },
  };
}
