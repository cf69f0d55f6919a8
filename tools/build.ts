import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type BuildOptions, build, type Plugin } from "rolldown";

const ROOT = resolve(import.meta.dirname, "..");

/** A folder below dist/ and the entries it is bundled from; entries of one bundle share their common code. */
interface Bundle {
  readonly name: string;
  readonly entries: Readonly<Record<string, string>>;
  /** The entry that people run by name; it gets a first line that finds Node, and its executable bit. */
  readonly command?: string;
  /** Packages that a file of ours stands in for, in the dependencies' imports too. */
  readonly alias?: Readonly<Record<string, string>>;
}

/** See there for what it saves. */
const UNDICI = { undici: "operator/kube/undici.ts" };

const BUNDLES: readonly Bundle[] = [
  { name: "operator", entries: { main: "operator/main.ts" }, alias: UNDICI },
  { name: "bridge", entries: { main: "bridge/main.ts", worker: "bridge/workers/worker.ts" } },
  { name: "cli", entries: { main: "operator/cli/main.ts" }, command: "main", alias: UNDICI },
];

/** Finds Node, and says so where it is older than package.json asks for: its own words would be about a function that is not there. */
const COMMAND_BANNER = `#!/usr/bin/env node
if (Number.parseInt(process.versions.node) < 24) {
  process.stderr.write("error: this needs Node 24 or newer, and node is " + process.versions.node + ".\\n");
  process.exit(1);
}`;

/**
 * Licences are kept with the names in them, whose letters `charset` leaves as they are: but one letter beyond ASCII, and Node holds the whole
 * text of the program at two bytes for each.
 */
const ASCII_COMMENTS: Plugin = {
  name: "ascii-comments",
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type === "chunk") file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
    }
  },
};

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Options for one bundle: ECMAScript modules for Node with all dependencies inside. */
export function bundleOptions(bundle: Bundle, root: string, output: string): BuildOptions {
  return {
    cwd: root,
    input: { ...bundle.entries },
    platform: "node",
    resolve: { alias: absolute(bundle.alias ?? {}, root) },
    // Optional native parts that their packages look for at run time and do without.
    external: ["@napi-rs/nice", "pg-native", "bufferutil", "utf-8-validate"],
    // CommonJS packages ask where they are; in the bundle that is where the bundle is.
    transform: { define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" } },
    logLevel: "warn",
    plugins: [ASCII_COMMENTS],
    // The generated API classes of client-node say nothing about side effects and have none; the operator uses few of them.
    treeshake: { moduleSideEffects: [{ test: /\/@kubernetes\/client-node\/dist\//, sideEffects: false }] },
    output: {
      dir: join(output, bundle.name),
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "shared-[hash].js",
      // Smaller sources are less memory: V8 keeps the text of what it runs.
      minify: true,
      keepNames: true,
      charset: "ascii",
      ...(bundle.command === undefined ? {} : { banner: COMMAND_BANNER }),
    },
  };
}

function absolute(alias: Readonly<Record<string, string>>, root: string): Record<string, string> {
  return Object.fromEntries(Object.entries(alias).map(([name, path]) => [name, join(root, path)]));
}

/** Says which entry file is missing and what it is needed for; undefined when all exist. */
export function missingEntry(
  bundles: readonly Bundle[],
  exists: (path: string) => boolean,
): string | undefined {
  for (const bundle of bundles) {
    for (const path of Object.values(bundle.entries)) {
      if (!exists(path)) return `${path} does not exist; dist/${bundle.name} is bundled from it.`;
    }
  }
  return undefined;
}

/** Bundles the named parts (all when none is named) into `output`. Throws when an entry is missing or does not compile. */
export async function bundle(names: readonly string[], output = join(ROOT, "dist")): Promise<void> {
  const unknown = names.find((name) => !BUNDLES.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `"${unknown}" is no bundle; write ${BUNDLES.map((known) => known.name).join(", ")} or nothing.`,
    );
  }
  const wanted = BUNDLES.filter((known) => names.length === 0 || names.includes(known.name));
  const missing = missingEntry(wanted, (path) => existsSync(join(ROOT, path)));
  if (missing !== undefined) throw new Error(missing);
  mkdirSync(output, { recursive: true });
  // Node asks the nearest package.json what a .js file is.
  writeFileSync(join(output, "package.json"), '{ "type": "module" }\n');
  for (const one of wanted) {
    rmSync(join(output, one.name), { recursive: true, force: true });
    await build(bundleOptions(one, ROOT, output));
    if (one.command !== undefined) chmodSync(join(output, one.name, `${one.command}.js`), 0o755);
  }
}

if (import.meta.main) {
  try {
    await bundle(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
