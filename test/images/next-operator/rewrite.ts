import { readFileSync, writeFileSync } from "node:fs";

/** Makes a bundled operator into another version that renders another pod template. Fails where the texts are not found once each. */
const REWRITES: readonly (readonly [string, string])[] = [
  ["0.1.0", "0.2.0"],
  ["FallbackToLogsOnError", "File"],
];

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Name the bundle to rewrite.");
let text = readFileSync(file, "utf8");
for (const [from, to] of REWRITES) {
  const found = text.split(from).length - 1;
  if (found !== 1) throw new Error(`${file} holds ${JSON.stringify(from)} ${found} times and not once.`);
  text = text.replace(from, to);
}
writeFileSync(file, text);
