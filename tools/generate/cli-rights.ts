import { COMMAND_VERBS } from "../../operator/api/v1alpha1/commands.ts";
import type { CommandName } from "../../operator/cli/command-table.ts";

/** What RBAC has to allow for a command. */
export interface Rights {
  /** Verbs on llmbridges that stand for requests. */
  readonly bridges: readonly ("get" | "list" | "watch" | "create" | "patch")[];
  /** What the chart's admission policy asks for beside patch. */
  readonly steering?: string;
  /** On other resources; Markdown. */
  readonly others?: string;
}

const FOLLOWING = ["get", "list", "watch"] as const;

/** They write the annotation and wait for the answer. */
const order = (action: keyof typeof COMMAND_VERBS): Rights => ({
  bridges: [...FOLLOWING, "patch"],
  steering: `\`${COMMAND_VERBS[action]}\``,
});

/** A person who lacks what stands behind "does without" is served all the same. */
export const RIGHTS: Readonly<Record<CommandName, Rights>> = {
  get: {
    bridges: FOLLOWING,
    others: "of one bridge list, with `-w` also watch, on deployments and pods; does without",
  },
  status: { bridges: FOLLOWING },
  explain: { bridges: ["get"] },
  history: { bridges: ["get"], others: "list on deployments" },
  diff: { bridges: ["get"], others: "list on deployments, get on configmaps" },
  promote: order("promote"),
  skip: order("skip"),
  jump: order("jump"),
  abort: order("abort"),
  undo: {
    bridges: [...FOLLOWING, "patch"],
    steering: `\`${COMMAND_VERBS.abort}\` where it aborts; nothing at rest`,
    others:
      "at rest list on deployments and get on configmaps; where it writes a ConfigMap or Secret back, get on the copy, and get and patch on the original",
  },
  restart: order("restart"),
  import: {
    bridges: ["create"],
    others:
      "get on the Deployment and on the Services that lead to it, list on pods and horizontalpodautoscalers, and on services where none is named; whether names are free it asks by get on serviceaccounts, poddisruptionbudgets, networkpolicies and services, and does without",
  },
  set: { bridges: ["get", "patch"], others: "get on configmaps, to tell what it starts; does without" },
  pause: { bridges: ["get", "patch"], steering: "`promote` while a rollout runs" },
  resume: { bridges: ["get", "patch"], steering: "`promote` while a rollout runs" },
  retry: order("retry"),
  lint: { bridges: [] },
  render: { bridges: [] },
  version: { bridges: [], others: "list on deployments of all namespaces; does without" },
  completion: {
    bridges: ["list"],
    others: "list on namespaces, for the value of `-n`; what may not be read is not offered",
  },
};

/** What may be left out where an option is not given. */
const ONLY: Partial<Record<CommandName, string>> = {
  get: "; watch with `-w` alone",
  status: "; with `--no-wait` get alone",
  import: " with `--apply`; else none",
};

/** Rows of the table: command, verbs on bridges, the policy's verb, other resources. */
export const rightsRows = (): readonly (readonly string[])[] =>
  Object.entries(RIGHTS).map(([command, { bridges, steering = "", others = "" }]) => [
    `\`${command}\``,
    `${bridges.join(", ")}${ONLY[command as CommandName] ?? ""}` || "none",
    steering,
    others,
  ]);
