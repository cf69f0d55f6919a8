import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as z from "zod";

/** What came of a stage. */
export interface Count {
  passed: number;
  failed: number;
  skipped: number;
  /** One line for each failure: where it is and the first line of what it said. */
  failures: readonly string[];
}

const vitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numFailedTestSuites: z.number(),
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** Counts the tests of vitest's JSON report; `code` is what vitest ended with. */
export function countOf(file: string, code: number): Count {
  try {
    const report = vitestReport.parse(JSON.parse(readFileSync(file, "utf8")));
    const failed = report.numFailedTests;
    return {
      passed: report.numPassedTests,
      // A suite may fail as a whole (set-up, import, a leak after the tests) with no single test failing.
      failed:
        failed === 0 && (code !== 0 || !report.success) ? Math.max(1, report.numFailedTestSuites) : failed,
      skipped: report.numPendingTests + report.numTodoTests,
      failures: failuresOf(report),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { passed: 0, failed: 1, skipped: 0, failures: [`the suite left no report: ${firstLine(why)}`] };
  }
}

function failuresOf(report: z.infer<typeof vitestReport>): string[] {
  return report.testResults.flatMap((file) => {
    const place = relative(process.cwd(), file.name);
    const tests = file.assertionResults
      .filter(({ status }) => status === "failed")
      .map((test) => `${place}: ${test.fullName}: ${firstLine(test.failureMessages?.[0] ?? "no message")}`);
    if (tests.length > 0 || file.status !== "failed") return tests;
    return [`${place}: ${firstLine(file.message ?? "failed outside its tests")}`];
  });
}

function firstLine(text: string): string {
  return stripVTControlCharacters(text).trim().split("\n", 1)[0]?.slice(0, 1_500) ?? "";
}
