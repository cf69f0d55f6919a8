import { afterAll, expect } from "vitest";
import type { Exploration } from "./explore.ts";

/** What the documentation says that was found, held against what is found. */

/** The page that says it, beside this file. */
export const PAGE = new URL("../../../docs/concepts/exploration.md", import.meta.url);

/** A row of the page's tables: the bridge that is explored, how many worlds were found around it, and how many events deep. */
const rowOf = (name: string, { worlds, depth }: Exploration): string =>
  `| ${name} | ${worlds.toLocaleString("en")} | ${depth} |`;

/**
 * Notes what was found, to be told when all of the file's rows are through. The page must name each row; it must give the numbers too where these are
 * found anew: by a search that no bound has cut, or that has the bound that the page speaks of.
 * @param page its text
 */
export function publisher(page: string, bound: number): (name: string, found: Exploration) => void {
  const published = Number(/EXPLORE_WORLDS=(\d+)/.exec(page)?.[1]);
  const rows: string[] = [];
  afterAll(() => console.log(rows.join("\n")));
  return (name, found) => {
    const row = rowOf(name, found);
    rows.push(row);
    const isAnew = found.closed || bound === published;
    const expected = isAnew ? `\n${row}\n` : `\n| ${name} |`;
    expect(page.includes(expected), `docs/concepts/exploration.md is to say: ${row}`).toBe(true);
  };
}
