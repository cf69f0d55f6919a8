import { COMMAND_NAMES } from "../../operator/cli/command-table.ts";
import { usage } from "../../operator/cli/usage.ts";
import { NOTICE } from "./markdown.ts";

/** docs/reference/kubectl-llmbridge.md: the help of every command, and what the commands rest on. */
export function cliReference(): string {
  return [
    NOTICE,
    "# kubectl llmbridge",
    "A plugin of kubectl, which runs an executable named `kubectl-llmbridge` on the PATH as `kubectl llmbridge`. `npm run build` makes it as `dist/cli/main.js`.",
    block(usage()),
    "Output is plain text; colours and redrawing appear on a terminal only. `NO_COLOR` leaves the colours out, `TERM=dumb` both.",
    "`promote`, `abort` and `retry` write the annotation `llmbridge.dev/command`, bound to the revision (and, for `promote`, the step) that status shows at that moment: a command that comes late or twice cannot hit a newer one. They wait until the operator has answered in `status.command`. `pause` and `resume` change `spec.rollout.paused`.",
    ...COMMAND_NAMES.flatMap((name) => [`## ${name}`, block(withoutExitCodes(usage(name)))]),
    "",
  ].join("\n\n");
}

const block = (text: string) => `\`\`\`\n${text.trimEnd()}\n\`\`\``;

/** They are the same for all, and stand above. */
const withoutExitCodes = (text: string) => text.slice(0, text.indexOf("Exit codes:"));
