import { globSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from "@stryker-mutator/api/core";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type CompleteDryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { isAsked } from "./asked.ts";
import { beginFile, type Test, tests } from "./words.ts";

/**
 * Runs the tests of operator/evidence and operator/rollout for Stryker. These are pure and fast, so nearly all of a vitest run for each change would
 * be spent on starting it and on loading the files again; here they are loaded once, by Node itself, and a change is one value that the loaded code looks
 * at. Tests that play thousands of rollouts are left out (`asked.ts`), so the score is one without them.
 */
const TESTS = "operator/{evidence,rollout}/**/*.test.ts";

const WORDS = new URL("./words.ts", import.meta.url).href;
/** Where the instrumented code looks for the change that is in force, and notes what it meets. */
const context: { [Field in keyof InstrumenterContext]?: InstrumenterContext[Field] | undefined } = {};
Object.assign(globalThis, { [INSTRUMENTER_CONSTANTS.NAMESPACE]: context });

class LoadedTests implements TestRunner {
  /** What runs while a file is loaded cannot be changed afterwards; such changes are not asked for (`ignoreStatic`). */
  capabilities() {
    return { reloadEnvironment: false };
  }

  /** Stryker has made the copy with its changes the working directory. */
  async init(): Promise<void> {
    registerHooks({
      resolve: (specifier, from, next) =>
        specifier === "vitest" && from.parentURL !== WORDS && !from.parentURL?.includes("/node_modules/")
          ? { url: WORDS, shortCircuit: true }
          : next(specifier, from),
    });
    for (const path of globSync(TESTS)
      .sort()
      .map((one) => resolve(one))) {
      if (!isAsked(path, readFileSync(path, "utf8"))) continue;
      beginFile(path);
      await import(pathToFileURL(path).href);
    }
  }

  async dryRun(): Promise<CompleteDryRunResult> {
    const results: TestResult[] = [];
    for (const test of tests) {
      context.currentTestId = test.id;
      results.push(await resultOf(test));
      context.currentTestId = undefined;
    }
    const { mutantCoverage = { static: {}, perTest: {} } } = context;
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage };
  }

  /** Until the first test that fails. */
  async mutantRun({ activeMutant, testFilter, hitLimit }: MutantRunOptions): Promise<MutantRunResult> {
    const asked = testFilter && new Set(testFilter);
    const results: TestResult[] = [];
    Object.assign(context, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    for (const test of tests) {
      if (asked?.has(test.id) === false) continue;
      results.push(await resultOf(test));
      if (results.at(-1)?.status === TestStatus.Failed) break;
    }
    context.activeMutant = undefined;
    const endless = determineHitLimitReached(context.hitCount, hitLimit);
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests: results });
  }
}

async function resultOf({ id, name, file, before, work, after }: Test): Promise<TestResult> {
  const started = performance.now();
  let failure: string | undefined;
  try {
    for (const one of before) await one();
    await work();
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  for (const one of after) await one();
  const result = { id, name, fileName: file, timeSpentMs: performance.now() - started };
  return failure === undefined
    ? { ...result, status: TestStatus.Success }
    : { ...result, status: TestStatus.Failed, failureMessage: failure };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "loaded", LoadedTests)];
