/** Escape codes for colours (ECMA-48 SGR), which take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the codes begin with one
const CODES = /\u001b\[\d+m/g;

/** Columns that a text takes on a terminal. */
export function visibleLength(text: string): number {
  return text.replace(CODES, "").length;
}

/** Pads a text that may be coloured. */
export function padVisible(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - visibleLength(text)));
}

/**
 * A text in lines of at most `width` columns (`later` from the second on), broken at spaces; a word that is longer stands alone. What two
 * or more spaces set apart from the rest stays together where it can. Colours end with a line and begin again on the next, so that what
 * is put before a line stays plain.
 */
export function wrapped(text: string, width: number, later = width): readonly string[] {
  if (visibleLength(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  const room = () => (lines.length === 0 ? width : later) - visibleLength(line);
  const put = (gap: string, piece: string) => {
    if (line !== "" && gap.length + visibleLength(piece) > room()) {
      lines.push(line);
      line = piece;
    } else line += gap + piece;
  };
  for (const [, gap = "", part = ""] of text.matchAll(/(^ *| {2,})(\S+(?: \S+)*)/g)) {
    if (visibleLength(part) <= later * MOST_TOGETHER) put(gap, part);
    else for (const [index, word] of part.split(" ").entries()) put(index === 0 ? gap : " ", word);
  }
  return closed([...lines, line]);
}

/** Parts that would leave most of a line empty are broken. */
const MOST_TOGETHER = 0.6;

const CLOSES: Readonly<Record<string, readonly string[]>> = {
  39: ["31", "32", "33", "34", "36"],
  22: ["1", "2"],
};

/** Each line with the codes that are open at its beginning, and without any that are open at its end. */
function closed(lines: readonly string[]): readonly string[] {
  let open: readonly string[] = [];
  return lines.map((line) => {
    const before = open.map((code) => `\u001b[${code}m`).join("");
    for (const [found] of line.matchAll(CODES)) {
      const code = found.slice(2, -1);
      const ends = CLOSES[code];
      open = ends ? open.filter((one) => !ends.includes(one)) : [...open, code];
    }
    const closing = open.map((code) => `\u001b[${code === "1" || code === "2" ? 22 : 39}m`).join("");
    return before + line + closing;
  });
}
