import { wrapped } from "./wrap.ts";

/** A line with what hangs below it. */
export interface Branch {
  readonly text: string;
  readonly below?: readonly Branch[];
}

/** Branches as lines with guides; what is wider than `columns` goes on below, indented. */
export function treeLines(branches: readonly Branch[], columns: number): readonly string[] {
  return branches.flatMap(({ text, below = [] }, index) => {
    const isLast = index === branches.length - 1;
    const [first = "", ...rest] = wrapped(text, columns - 3, columns - 7);
    const guide = isLast ? "   " : "│  ";
    return [
      `${isLast ? "└─" : "├─"} ${first}`,
      ...rest.map((line) => `${guide}${below.length > 0 ? "│" : " "}   ${line}`),
      ...treeLines(below, columns - 3).map((line) => guide + line),
    ];
  });
}
