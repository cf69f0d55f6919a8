import { type Document, LineCounter, parseAllDocuments, type Scalar, visit } from "yaml";
import { KIND } from "../api/v1alpha1/llmbridge.ts";
import { lintManifest } from "../api/v1alpha1/validate.ts";

/** What lint has to say about a place in a file. */
export type Finding =
  | { readonly kind: "error"; readonly line: number; readonly path: string; readonly message: string }
  | { readonly kind: "valid" | "skipped"; readonly line: number; readonly message: string };

/** YAML 1.1 booleans that YAML 1.2 reads as text. kubectl reads YAML 1.1. */
const YAML_11_BOOLEAN = /^(y|n|yes|no|on|off)$/i;

/** Every document of a file; those of other kinds are skipped. */
export function lintYaml(text: string): readonly Finding[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  if (!Array.isArray(documents))
    return [{ kind: "error", line: 1, path: "", message: "the file is empty; write a bridge." }];
  return documents.flatMap((document) => lintDocument(document, lines));
}

function lintDocument(document: Document.Parsed, lines: LineCounter): readonly Finding[] {
  const broken = document.errors[0];
  const first = lines.linePos(document.contents?.range?.[0] ?? 0).line;
  if (broken) {
    const [sentence = ""] = broken.message.split("\n");
    return [{ kind: "error", line: broken.linePos?.[0].line ?? first, path: "", message: sentence }];
  }
  if (document.contents === null) return [];
  readAsYaml11(document);
  const object = document.toJS() as unknown;
  const { kind } = (object ?? {}) as { kind?: unknown };
  if (kind !== KIND && kind !== undefined)
    return [{ kind: "skipped", line: first, message: `kind ${String(kind)} is not looked at.` }];
  const issues = lintManifest(object);
  if (issues.length === 0) {
    const { name } = (object as { metadata: { name: string } }).metadata;
    return [{ kind: "valid", line: first, message: `${name} is valid.` }];
  }
  return issues.map(({ path, message }) => ({
    kind: "error" as const,
    line: lineOf(document, path, lines) ?? first,
    path,
    message,
  }));
}

/** Turns plain `Off` and its like into the booleans that kubectl would send. */
function readAsYaml11(document: Document.Parsed): void {
  visit(document, {
    Scalar(key, node: Scalar) {
      if (
        key !== "key" &&
        node.type === "PLAIN" &&
        typeof node.value === "string" &&
        YAML_11_BOOLEAN.test(node.value)
      )
        node.value = /^(y|yes|on)$/i.test(node.value);
    },
  });
}

/** The line of a path, or of the nearest node above it that is in the file. */
function lineOf(document: Document.Parsed, path: string, lines: LineCounter): number | undefined {
  const segments = [...path.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, key]) => quoted ?? (index === undefined ? (key ?? "") : Number(index)),
  );
  for (let depth = segments.length; depth > 0; depth--) {
    const node = document.getIn(segments.slice(0, depth), true) as { range?: readonly number[] } | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return undefined;
}
