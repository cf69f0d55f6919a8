import * as z from "zod";
import { fieldsAt } from "./fields.ts";
import { type Issue, issuesOf, pathText, valueAt } from "./issues.ts";
import { concretePaths, duplicateIssues } from "./keyed-lists.ts";
import { GROUP, KIND, VERSION } from "./llmbridge.ts";
import { manifestMetadata } from "./metadata.ts";
import { RULES } from "./rules/index.ts";
import type { Rule } from "./rules/rule.ts";
import { type LLMBridgeSpec, llmBridgeSpec } from "./spec.ts";

export type { Issue } from "./issues.ts";

const manifest = z.strictObject({
  apiVersion: z.literal(`${GROUP}/${VERSION}`),
  kind: z.literal(KIND),
  metadata: manifestMetadata,
  spec: llmBridgeSpec,
  status: z.unknown().optional(),
});

/**
 * What the API server would say of a manifest, with a remedy where its own words have none (unknown fields, wrong types). `lint` asks it
 * before anything is sent, and the operator of what is stored, because a stored object may be older than a rule.
 * `before` is the stored spec, for rules about changes.
 */
export function lintManifest(object: unknown, before?: LLMBridgeSpec): readonly Issue[] {
  const read = readManifest(object, before);
  return read.ok ? [] : read.issues;
}

/** The same, and the spec with its defaults where nothing is wrong with it. */
export function readManifest(
  object: unknown,
  before?: LLMBridgeSpec,
):
  | { readonly ok: true; readonly spec: LLMBridgeSpec }
  | { readonly ok: false; readonly issues: readonly Issue[] } {
  const parsed = manifest.safeParse(object);
  if (!parsed.success)
    return { ok: false, issues: issuesOf(parsed.error, object, (path) => fieldsAt(manifest, path)) };
  const { metadata, spec } = parsed.data;
  const issues = [...duplicateIssues(parsed.data), ...ruleIssues(metadata.name, spec, before)];
  return issues.length === 0 ? { ok: true, spec } : { ok: false, issues };
}

/** The rules that an analysis breaks, wherever it stands; paths are those within it. */
export function analysisIssues(analysis: unknown): readonly Issue[] {
  const place = "spec.rollout.analysis";
  return PLACED.filter(({ rule }) => rule.path.startsWith(place))
    .flatMap((rule) => violations(rule, { spec: { rollout: { analysis } } }, { name: "" }))
    .map(({ path, message }) => ({ path: path.slice(place.length + 1), message }));
}

/** Every violated rule of a spec that has the right shape. */
function ruleIssues(name: string, spec: LLMBridgeSpec, before?: LLMBridgeSpec): readonly Issue[] {
  const root = { metadata: { name }, spec };
  return PLACED.flatMap((rule) =>
    violations(rule, root, { name, ...(before === undefined ? {} : { before }) }),
  );
}

function violations(
  { rule, segments }: PlacedRule,
  root: unknown,
  context: Parameters<Rule["check"]>[1],
): Issue[] {
  return concretePaths(root, segments).flatMap((path) => {
    const node = valueAt(root, path);
    const message = node === undefined ? undefined : rule.check(node as never, context);
    if (message === undefined) return [];
    const place = pathText(path) + (rule.validation.fieldPath ?? "");
    return [{ path: place.replace(/^\./, ""), message }];
  });
}

function segmentsOf(path: string): readonly string[] {
  return path === ""
    ? []
    : path
        .split(".")
        .flatMap((segment) => (segment.endsWith("[]") ? [segment.slice(0, -2), "*"] : [segment]));
}

interface PlacedRule {
  readonly rule: Rule;
  readonly segments: readonly string[];
}

/** Each of them is asked of every spec. */
const PLACED: readonly PlacedRule[] = RULES.map((rule) => ({ rule, segments: segmentsOf(rule.path) }));
