import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generate/files.ts";

/**
 * Writes every generated file of the repository; with `--check` writes none, and exits with 1 naming those that are out of date.
 */
const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
const stale: string[] = [];

for (const { path, content } of generatedFiles()) {
  const target = join(root, path);
  const present = await readFile(target, "utf8").catch(() => undefined);
  if (present === content) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}

if (check && stale.length > 0) {
  console.error(`out of date: ${stale.join(", ")}; run \`npm run generate\` and commit the result`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? "generated files are up to date" : `written: ${stale.join(", ")}`);
}
