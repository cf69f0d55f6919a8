import * as z from "zod";
import { COMMAND_NAMES } from "../../operator/cli/command-table.ts";
import {
  diffOutput,
  explanationOutput,
  historyOutput,
  lintOutput,
  orderOutput,
  statusOutput,
  versionOutput,
} from "../../operator/cli/outputs.ts";
import { usage } from "../../operator/cli/usage.ts";
import { rightsRows } from "./cli-rights.ts";
import { cell, code, NOTICE, table } from "./markdown.ts";

/** docs/reference/kubectl-llmbridge.md: how to install it, the help of every command, the shapes of its output. */
export function cliReference(): string {
  return [
    NOTICE,
    "# kubectl llmbridge",
    "A plugin of kubectl, which runs an executable named `kubectl-llmbridge` on the PATH as `kubectl llmbridge`. It needs Node 24 or newer there.",
    "## Install",
    "It is not published yet; it is built from this repository. By hand:",
    block(
      "npm ci --ignore-scripts && npm run build -- cli\nln -s $PWD/dist/cli/main.js /usr/local/bin/kubectl-llmbridge",
      "sh",
    ),
    "By [krew](https://krew.sigs.k8s.io): `make plugin` packs an archive and its manifest into `dist/plugin` and prints the command that installs them. To serve them to others give the folder they will be in: `node tools/plugin.ts --url https://...`.",
    "Completion of `kubectl llmbridge` is kubectl's own, which runs an executable named `kubectl_complete-llmbridge` on the PATH: `kubectl llmbridge completion kubectl` prints it, and the archive for krew holds it. For `kubectl-llmbridge` by itself there are scripts for bash, zsh and fish.",
    "## Commands",
    block(usage()),
    "Output is plain text; colours and redrawing appear on a terminal only. `NO_COLOR` leaves the colours out, `TERM=dumb` both. On a terminal lines are broken at its width, and the table loses its least needed columns where it is too narrow.",
    "`promote`, `skip`, `jump`, `abort`, `retry` and `restart` write the annotation `llmbridge.dev/command`, bound to the revision (and, for the first three, the step) that status shows at that moment: a command that comes late or twice cannot hit a newer one. They wait until the operator has answered in `status.command`. `pause` and `resume` change `spec.rollout.paused`; `undo` changes the part of the spec that makes a revision, `set image` the image alone.",
    ...COMMAND_NAMES.flatMap((name) => [`### ${name}`, block(withoutExitCodes(usage(name)))]),
    "## Rights",
    "What RBAC has to allow in the bridge's namespace. The verbs `promote` and `abort` on llmbridges stand for no request: the admission policies of the chart ask for them ([people](../concepts/permissions.md#people)). For a name that does not exist a list of bridges, where that is allowed, tells which one may be meant. A Secret that a spec names anew, by `import --apply` or `undo`, needs get on it.",
    table(["command", "on llmbridges", "of the admission policy", "on others"], rightsRows()),
    "## Output for programs",
    "Every command but `completion` takes `-o json` and `-o yaml`. Stdout then holds what is asked for, without colour, and nothing else; what went wrong is said on stderr. `get` prints the objects as they are stored ([LLMBridge](llmbridge.md)), without a name as a List; `render` prints YAML documents, or JSON as a List. Of the following shapes no member is taken away or changes its meaning; new ones may be added.",
    ...Object.entries(SHAPES).flatMap(([name, shape]) => [`### ${name} -o json`, shapeTable(shape)]),
    "### Orders",
    `${ORDERS.map(code).join(", ")} print this record when the order is obeyed. Where it is refused, or not answered in time, nothing is printed on stdout; stderr says why, and the exit code tells which.`,
    shapeTable(orderOutput),
    "",
  ].join("\n\n");
}

const SHAPES = {
  status: statusOutput,
  explain: explanationOutput,
  history: historyOutput,
  diff: diffOutput,
  lint: lintOutput,
  version: versionOutput,
};
const ORDERS = orderOutput.shape.command.options;

const block = (text: string, language = "") => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** They are the same for all, and stand above. */
const withoutExitCodes = (text: string) => text.slice(0, text.lastIndexOf("Exit codes:"));

interface Shape {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
}

function shapeTable(schema: z.ZodType): string {
  return table(["member", "meaning"], rowsOf(z.toJSONSchema(schema) as Shape, ""));
}

function rowsOf({ properties = {}, required = [] }: Shape, place: string): readonly (readonly string[])[] {
  return Object.entries(properties).flatMap(([name, shape]) => {
    const path = `${place}${name}${shape.items ? "[]" : ""}`;
    const notes = [
      ...(required.includes(name) ? [] : ["May be absent."]),
      ...(shape.enum ? [`One of ${shape.enum.map(code).join(", ")}.`] : []),
    ];
    return [
      [code(path), [cell(shape.description ?? ""), ...notes].join(" ").trim()],
      ...rowsOf(shape.items ?? shape, `${path}.`),
    ];
  });
}
