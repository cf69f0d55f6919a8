/** Lines around a change. */
const CONTEXT = 3;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Two texts as hunks of a unified diff (POSIX diff -u), without the lines that name the files; empty where they are equal. */
export function unifiedDiff(before: string, after: string): readonly string[] {
  const lines = compared(linesOf(before), linesOf(after));
  const isShown = shownLines(lines);
  const hunks: string[] = [];
  let [old, now] = [1, 1];
  for (let start = 0; start < lines.length; start++) {
    if (isShown[start]) {
      let end = start;
      while (end < lines.length && isShown[end]) end += 1;
      const hunk = lines.slice(start, end);
      const olds = hunk.filter(({ sign }) => sign !== "+").length;
      const news = hunk.filter(({ sign }) => sign !== "-").length;
      hunks.push(`@@ -${range(old, olds)} +${range(now, news)} @@`);
      hunks.push(...hunk.map(({ sign, text }) => sign + text));
      [old, now] = [old + olds, now + news];
      start = end - 1;
    } else [old, now] = [old + 1, now + 1];
  }
  return hunks;
}

const linesOf = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** An empty range names the line before it. */
const range = (start: number, count: number): string =>
  count === 0 ? `${start - 1},0` : `${start},${count}`;

function shownLines(lines: readonly Line[]): readonly boolean[] {
  const shown = lines.map(() => false);
  lines.forEach(({ sign }, index) => {
    if (sign !== " ") shown.fill(true, Math.max(0, index - CONTEXT), index + CONTEXT + 1);
  });
  return shown;
}

/** By the longest common subsequence; files of some hundred lines, so its square is nothing. */
function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: " ", text: before[i] ?? "" });
      [i, j] = [i + 1, j + 1];
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: "-", text: before[i] ?? "" });
      i += 1;
    } else {
      lines.push({ sign: "+", text: after[j] ?? "" });
      j += 1;
    }
  }
  return lines;
}
