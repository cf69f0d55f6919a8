import { readFileSync, writeFileSync } from "node:fs";

interface Row {
  readonly title: string;
  readonly ours: string;
  readonly peers: string;
  readonly ratio: string;
  /** How many bridges there were, and pods of each. */
  readonly size: string;
}

const BEGIN = "<!-- bench-operator -->";
const END = "<!-- /bench-operator -->";

/**
 * What was measured of both, as a Markdown table. Each row is said as it comes, since the next may take an hour.
 * @param size stands beside each row, for the rows of one document may come from several runs
 */
export function createTable(ours: string, peers: string, size: string, say: (line: string) => void) {
  const rows: Row[] = [];
  const former: RegExp[] = [];
  const add = (row: Omit<Row, "size">): void => {
    rows.push({ ...row, size });
    say(`  ${lineOf({ ...row, size })}`);
  };
  const head = [`| | ${ours} | ${peers} | ratio | bridges x pods |`, "|---|---|---|---|---|"];
  return {
    /** @param digits after the point. Default: none for 10 and more, else one. */
    row(title: string, own: number, other: number, digits?: number): void {
      const ratio = other > 0 ? (own / other).toFixed(2) : "";
      add({ title, ours: format(own, digits), peers: format(other, digits), ratio });
    },
    /** What only ours is measured for. */
    own(title: string, value: number, digits?: number): void {
      add({ title, ours: format(value, digits), peers: "", ratio: "" });
    },
    /** Rows of such titles are no longer measured, or are under another title: they leave the document with the next `writeTo`. */
    drop(title: RegExp): void {
      former.push(title);
    },
    text: (): string => [...head, ...rows.map(lineOf)].join("\n"),
    /** Puts the rows into the table between the marks of the file: in place of those of the same title, or where dropped ones were, or below. */
    writeTo(path: string): void {
      const document = readFileSync(path, "utf8");
      const [before, rest = ""] = document.split(BEGIN);
      const [between = "", after] = rest.split(END);
      if (after === undefined) throw new Error(`${path} has no place for the table: ${BEGIN} ... ${END}`);
      const lines = [...head, ...merged(rowsIn(between), rows, former).map(lineOf)];
      writeFileSync(path, `${before}${BEGIN}\n${lines.join("\n")}\n${END}${after}`);
    },
  };
}

function merged(before: readonly Row[], now: readonly Row[], former: readonly RegExp[]): Row[] {
  const isKept = ({ title }: Row) =>
    now.some((row) => row.title === title) || !former.some((one) => one.test(title));
  const known = new Set(before.map(({ title }) => title));
  const added = now.filter(({ title }) => !known.has(title));
  const gap = before.findIndex((row) => !isKept(row));
  const at = gap === -1 ? before.length : gap;
  const placed = [...before.slice(0, at), ...added, ...before.slice(at).filter(isKept)];
  const byTitle = new Map(now.map((row) => [row.title, row]));
  return placed.map((row) => byTitle.get(row.title) ?? row);
}

function rowsIn(table: string): Row[] {
  return table
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| |"))
    .map((line) => {
      const [, title = "", ours = "", peers = "", ratio = "", size = ""] = line
        .split("|")
        .map((cell) => cell.trim());
      return { title, ours, peers, ratio, size };
    });
}

const lineOf = ({ title, ours, peers, ratio, size }: Row): string =>
  `| ${title} | ${ours} | ${peers} | ${ratio} | ${size} |`;

function format(value: number, digits?: number): string {
  return value.toFixed(digits ?? (value >= 10 || Number.isInteger(value) ? 0 : 1));
}
