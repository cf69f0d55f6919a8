import { VERSION } from "../../version.ts";
import type { Arguments } from "../arguments.ts";
import { namespaceOf, type Place } from "../connection.ts";
import { CliFailure, EXIT, type ExitCode } from "../failure.ts";
import { lintDocuments, type Manifest } from "../lint-yaml.ts";
import { readManifests } from "../manifest-files.ts";
import { rendered } from "../offline.ts";
import { asYaml, serialised } from "../render/serialised.ts";
import type { Terminal } from "../terminal.ts";
import { lineOf } from "./lint.ts";

/** `render FILE...`: the children that the operator would make of a manifest. No cluster is needed. */
export async function render(
  args: Arguments,
  environment: Place["environment"],
  terminal: Terminal,
): Promise<ExitCode> {
  const bridges = await readBridges(args, terminal);
  const namespace = namespaceOf({ ...args, environment });
  const all = bridges.map((bridge) => ({ bridge, ...rendered(bridge, namespace) }));
  if (args.output === "json") {
    const items = all.flatMap(({ children }) => children);
    terminal.write(serialised({ apiVersion: "v1", kind: "List", items }, "json"));
    return EXIT.ok;
  }
  for (const { bridge, revision, children } of all) {
    terminal.write(
      `# ${bridge.metadata.name}, revision ${revision}, as an operator of version ${VERSION} makes it first.\n`,
    );
    for (const child of children) terminal.write(`---\n${asYaml(child)}`);
  }
  return EXIT.ok;
}

/**
 * The bridges in the files that were given.
 * @throws CliFailure where one of them is not valid, or there is none
 */
export async function readBridges(
  args: Pick<Arguments, "words" | "files" | "recursive">,
  terminal: Terminal,
): Promise<readonly Manifest[]> {
  const texts = await readManifests([...args.words, ...args.files], args.recursive, terminal);
  const linted = texts.flatMap(({ place, text, isNamed }) =>
    lintDocuments(text, isNamed).map((document) => ({ place, ...document })),
  );
  const errors = linted.flatMap(({ place, findings }) =>
    findings.filter(({ kind }) => kind === "error").map((finding) => lineOf(place, finding)),
  );
  if (errors.length > 0)
    throw new CliFailure(
      errors
        .join("")
        .replace(/^error: /, "")
        .trimEnd(),
    );
  const bridges = linted.flatMap(({ bridge }) => bridge ?? []);
  if (bridges.length === 0) throw new CliFailure("there is no bridge in what was given.");
  return bridges;
}
