import { type Document, isScalar, LineCounter, parseAllDocuments } from "yaml";
import { GROUP, KIND } from "../api/v1alpha1/llmbridge.ts";
import { type LLMBridgeSpec, type LLMBridgeSpecInput, llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { type Issue, lintManifest } from "../api/v1alpha1/validate.ts";
import { bounds } from "../bridges/decide/bounds.ts";
import { uncomparedGates } from "../rollout/uncompared.ts";
import { tune } from "../tuning/tune.ts";
import { tuningInput } from "../tuning/tuning-input.ts";
import { readAsYaml11 } from "./yaml-11.ts";

/** What lint has to say about a place in a file. */
export type Finding =
  | { readonly kind: "error"; readonly line: number; readonly path: string; readonly message: string }
  | { readonly kind: "valid" | "skipped"; readonly line: number; readonly message: string };

/** A bridge as a file holds it. */
export interface Manifest {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
  readonly spec: LLMBridgeSpecInput;
}

/** One document of a file: what there is to say of it, and the bridge where it is valid. */
export interface Linted {
  readonly findings: readonly Finding[];
  readonly bridge?: Manifest;
}

/** Every document of a file; those of other kinds are skipped. */
export function lintYaml(text: string, isManifest = true): readonly Finding[] {
  return lintDocuments(text, isManifest).flatMap(({ findings }) => findings);
}

/**
 * The same, each document on its own.
 * @param isManifest whether each of them must be an object of Kubernetes. A folder also holds a kustomization.yaml and values of helm.
 */
export function lintDocuments(text: string, isManifest = true): readonly Linted[] {
  const lines = new LineCounter();
  return parseAllDocuments(text, { lineCounter: lines, merge: true }).flatMap((document) =>
    lintDocument(document, lines, isManifest),
  );
}

const finding = (kind: Finding["kind"], line: number, message: string): Linted => ({
  findings: [kind === "error" ? { kind, line, path: "", message } : { kind, line, message }],
});

function lintDocument(document: Document.Parsed, lines: LineCounter, isManifest: boolean): readonly Linted[] {
  const broken = document.errors[0];
  const first = lines.linePos(document.contents?.range?.[0] ?? 0).line;
  if (broken) {
    const [sentence = ""] = broken.message.split("\n");
    return [finding("error", broken.linePos?.[0].line ?? first, sentence)];
  }
  // As for kubectl: what follows a last `---`, and a template that helm rendered to nothing.
  if (isEmpty(document)) return [];
  readAsYaml11(document);
  let object: unknown;
  try {
    object = document.toJS();
  } catch (error) {
    // A merge of what is no map, or aliases that grow beyond measure.
    return [finding("error", first, error instanceof Error ? error.message : String(error))];
  }
  if (!isManifest && isSomethingElse(object))
    return [finding("skipped", first, "it is no object of Kubernetes.")];
  return lintObject(object, "", (path) => lineOf(document, path, lines) ?? first);
}

/** One object of a document; of a list each. `at` is its path in the document. */
function lintObject(object: unknown, at: string, lineAt: (path: string) => number): readonly Linted[] {
  const { apiVersion, kind, items } = Object(object) as Readonly<Record<string, unknown>>;
  if (LISTS.includes(String(kind)) && Array.isArray(items))
    return items.flatMap((item, index) => lintObject(item, within(at, `items[${index}]`), lineAt));
  if (kind !== KIND && kind !== undefined && !isOurs(apiVersion))
    return [finding("skipped", lineAt(at), `kind ${String(kind)} is not looked at.`)];
  const issues = lintManifest(object);
  const bridge = object as Manifest;
  const spec = issues.length > 0 ? undefined : llmBridgeSpec.parse(bridge.spec);
  const all = spec ? planIssues(spec) : issues;
  if (spec && all.length === 0) {
    const advice = uncomparedGates(spec.rollout);
    const message = [`${bridge.metadata.name} is valid.`, advice].filter(Boolean).join(" ");
    return [{ ...finding("valid", lineAt(at), message), bridge }];
  }
  const errors = all.map(({ path, message }) => {
    const place = within(at, path);
    return { kind: "error" as const, line: lineAt(place), path: place, message };
  });
  return [{ findings: errors }];
}

/** Kinds that kubectl takes for the objects in them. */
const LISTS: readonly string[] = ["List", `${KIND}List`];

/** There is one kind in the group, so that another one is a bridge that is misspelt. */
const isOurs = (apiVersion: unknown): boolean => String(apiVersion).startsWith(`${GROUP}/`);

function isSomethingElse(object: unknown): boolean {
  const { apiVersion, kind } = Object(object) as Readonly<Record<string, unknown>>;
  return kind === undefined && !isOurs(apiVersion);
}

const within = (at: string, path: string): string =>
  at === "" || path === "" || path.startsWith("[") ? at + path : `${at}.${path}`;

const isEmpty = ({ contents }: Document.Parsed): boolean =>
  contents === null || (isScalar(contents) && contents.value === null);

/** What the API server takes and the operator would refuse: options that do not fit, plans above a budget. */
function planIssues(spec: LLMBridgeSpec): readonly Issue[] {
  return [...tune(tuningInput(spec)).issues, ...bounds(spec).issues];
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
