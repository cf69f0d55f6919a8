import { format } from "node:util";

/**
 * The words of vitest that tests of pure code use, noting the tests instead of running them. `expect` is vitest's own, which needs no runner.
 * Importing this in the place of "vitest" is what `runner.ts` makes test files do.
 */
export { expect } from "vitest";

type Work = (...values: readonly unknown[]) => unknown;
type Say = (title: string, work: Work) => void;

interface Suite {
  readonly name: string;
  /** Suites around this one, outermost first. */
  readonly around: readonly Suite[];
  readonly before: Work[];
  readonly after: Work[];
}

export interface Test {
  /** File and name, the same from one process to the next. */
  readonly id: string;
  readonly name: string;
  readonly file: string;
  /** What is done around it, in order; each test has its suites' preparations made anew. */
  readonly before: readonly Work[];
  readonly work: Work;
  readonly after: readonly Work[];
}

/** Every test of the files that were loaded. */
export const tests: Test[] = [];

const suiteOf = (name: string, around: readonly Suite[]): Suite => ({ name, around, before: [], after: [] });
let file = "";
let present = suiteOf("", []);

/** What is said from now on is said in that file. */
export function beginFile(path: string): void {
  file = path;
  present = suiteOf("", []);
}

export const describe = withEach((name, body) => {
  const outer = present;
  present = suiteOf(name, [...outer.around, outer]);
  body();
  present = outer;
});

export const it = withEach((title, work) => {
  const suites = [...present.around, present];
  const name = [...suites.map((suite) => suite.name), title].filter((one) => one !== "").join(" > ");
  const alike = tests.filter((test) => test.file === file && test.name === name).length;
  const id = `${file}#${name}${alike === 0 ? "" : ` (${alike + 1})`}`;
  const [before, after] = [suites.flatMap((suite) => suite.before), suites.flatMap((suite) => suite.after)];
  tests.push({ id, name, file, before, work, after });
});

export const beforeAll = (work: Work): void => void present.before.push(work);
export const afterAll = (work: Work): void => void present.after.push(work);

function withEach(say: Say): Say & { each: (rows: readonly unknown[]) => Say } {
  const each = (rows: readonly unknown[]) => (title: string, work: Work) => {
    rows.forEach((row, index) => {
      const values: readonly unknown[] = Array.isArray(row) ? row : [row];
      say(titleOf(title, values, index), () => work(...values));
    });
  };
  return Object.assign((title: string, work: Work) => say(title, work), { each });
}

function titleOf(title: string, values: readonly unknown[], index: number): string {
  const places = title.match(/%[sdijof]/g) ?? [];
  return format(title.replaceAll("%#", String(index)), ...values.slice(0, places.length));
}
