/** Colours for a terminal; on a pipe the text as it is. */
export interface Colour {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function colours(on: boolean): Colour {
  const code = (open: number, close: number) => (text: string) =>
    on && text !== "" ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    good: code(32, 39),
    bad: code(31, 39),
    warn: code(33, 39),
    faint: code(2, 22),
    strong: code(1, 22),
  };
}
