import { ENV_REASONS, type EnvReason, REFUSED_ENV_NAMES } from "../../operator/api/v1alpha1/env-names.ts";
import { NODE_FLAGS, REFUSED_REASONS, type RefusedReason } from "../../operator/api/v1alpha1/node-flags.ts";
import { cell, code, table } from "./markdown.ts";

/** What becomes of the flags that people put into NODE_OPTIONS. */
export function nodeOptionsSection(): string[] {
  const typed = NODE_FLAGS.flatMap((known) =>
    "field" in known
      ? [
          [
            code(known.flag),
            code(`spec.tuning.nodeOptions.${known.field}`),
            known.sinceNode?.join(", ") ?? "every supported version",
          ],
        ]
      : [],
  );
  const refused = Object.keys(REFUSED_REASONS).map((reason) => [
    flagsRefusedFor(reason as RefusedReason)
      .map(code)
      .join(" "),
    cell(REFUSED_REASONS[reason as RefusedReason]),
  ]);
  return [
    "## NODE_OPTIONS",
    "The operator renders `NODE_OPTIONS` from typed fields and refuses it in `spec.pod.env`. These flags have a field:",
    table(["flag", "field", "Node"], typed),
    "These are refused, and so is every flag that is not listed:",
    table(["flags", "why"], refused),
  ];
}

/** Variables that spec.pod.env may not set. */
export function environmentSection(): string[] {
  const rows = Object.keys(ENV_REASONS).map((reason) => [
    REFUSED_ENV_NAMES.filter((entry) => entry.reason === reason)
      .map(({ name }) => code(name))
      .join(" "),
    cell(ENV_REASONS[reason as EnvReason]),
  ]);
  return ["## Environment variables that cannot be set", table(["variables", "why"], rows)];
}

function flagsRefusedFor(reason: RefusedReason): readonly string[] {
  return NODE_FLAGS.flatMap((known) => ("refused" in known && known.refused === reason ? [known.flag] : []));
}
