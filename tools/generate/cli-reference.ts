import { USAGE } from "../../operator/cli/usage.ts";
import { NOTICE } from "./markdown.ts";

/** docs/reference/kubectl-llmbridge.md: the usage text, and what the commands rest on. */
export function cliReference(): string {
  return [
    NOTICE,
    "# kubectl llmbridge",
    "A plugin of kubectl, which runs an executable named `kubectl-llmbridge` on the PATH as `kubectl llmbridge`. `npm run build` makes it as `dist/cli/main.js`.",
    `\`\`\`\n${USAGE}\`\`\``,
    "Output is plain text; colours and redrawing appear on a terminal only, and never when `NO_COLOR` is set.",
    "`promote`, `abort` and `retry` write the annotation `llmbridge.dev/command`, bound to the revision (and, for `promote`, the step) that status shows at that moment: a command that comes late or twice cannot hit a newer one. They wait until the operator has answered in `status.command`. `pause` and `resume` change `spec.rollout.paused`.",
    "",
  ].join("\n\n");
}
