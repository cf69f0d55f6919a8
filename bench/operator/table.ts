import { readFileSync, writeFileSync } from "node:fs";

interface Row {
  readonly title: string;
  readonly ours: string;
  readonly peers: string;
  readonly ratio: string;
}

const BEGIN = "<!-- bench-operator -->";
const END = "<!-- /bench-operator -->";

/** What was measured of both, as a Markdown table. Each row is said as it comes, since the next may take an hour. */
export function createTable(ours: string, peers: string, say: (line: string) => void) {
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    say(`  ${lineOf(row)}`);
  };
  const text = (): string =>
    [`| | ${ours} | ${peers} | ratio |`, "|---|---|---|---|", ...rows.map(lineOf)].join("\n");
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
    text,
    /** Replaces the table between the marks of the file. */
    writeTo(path: string, about: string): void {
      const document = readFileSync(path, "utf8");
      const [before, rest = ""] = document.split(BEGIN);
      const after = rest.split(END)[1];
      if (after === undefined) throw new Error(`${path} has no place for the table: ${BEGIN} ... ${END}`);
      writeFileSync(path, `${before}${BEGIN}\n${about}:\n\n${text()}\n${END}${after}`);
    },
  };
}

const lineOf = (row: Row): string => `| ${row.title} | ${row.ours} | ${row.peers} | ${row.ratio} |`;

function format(value: number, digits?: number): string {
  return value.toFixed(digits ?? (value >= 10 || Number.isInteger(value) ? 0 : 1));
}
