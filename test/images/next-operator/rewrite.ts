import { readFileSync, writeFileSync } from "node:fs";

/** Makes a bundled operator into another version that renders other pod templates. Fails where a text is not found. */
const REWRITES: readonly (readonly [string, string])[] = [
  ["0.1.0", "0.2.0"],
  // Of bridges and of the Jobs of gates.
  ["FallbackToLogsOnError", "File"],
];

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Name the bundle to rewrite.");
let text = readFileSync(file, "utf8");
for (const [from, to] of REWRITES) {
  if (!text.includes(from)) throw new Error(`${file} does not hold ${JSON.stringify(from)}.`);
  text = text.replaceAll(from, to);
}
writeFileSync(file, text);
