import { COMMAND_ANNOTATION, COMMAND_VERBS, type CommandVerb, command } from "../api/v1alpha1/commands.ts";
import { GROUP, PLURAL } from "../api/v1alpha1/llmbridge.ts";
import type { Rollout } from "../api/v1alpha1/rollout.ts";
import type { Phase } from "../api/v1alpha1/status.ts";
import { celRemedy, celText, celTexts, type Policy, type Validation } from "./policy.ts";

/** Phases in which nothing is rolled out, so that everybody who edits may prepare the next change. */
const AT_REST: readonly Phase[] = ["Pending", "Stable", "Aborted"];

/** What of spec.rollout decides on a change that is under way: an edit of it may do what a command does. */
const STEERS: Readonly<Record<keyof Rollout, boolean>> = {
  strategy: true,
  preview: true,
  steps: true,
  traffic: true,
  analysis: true,
  baseline: true,
  gates: true,
  onFailure: true,
  progressDeadline: true,
  watchAfter: true,
  rollbackWindow: true,
  paused: true,
  revisionHistoryLimit: false,
  after: false,
};

/** Fields of spec.rollout of which an edit needs the verb `promote` while a rollout runs. */
export const STEERING_FIELDS: readonly string[] = Object.entries(STEERS)
  .filter(([, steers]) => steers)
  .map(([field]) => field);

/**
 * The text of a command with this verb, whole: members in any order behind the action, each value without an escape, and no second action. CEL reads
 * no JSON; what is written otherwise may be either kind of command, and needs both verbs.
 */
export function commandPattern(verb: CommandVerb): string {
  const actions = Object.entries(COMMAND_VERBS)
    .filter(([, needed]) => needed === verb)
    .map(([action]) => action);
  const texts = Object.keys(command.shape).filter((name) => name !== "action" && name !== "full");
  const member = String.raw`"(${texts.join("|")})"\s*:\s*"[^"\\]*"|"full"\s*:\s*(true|false)`;
  return String.raw`^\s*\{\s*"action"\s*:\s*"(${actions.join("|")})"\s*(,\s*(${member})\s*)*\}\s*$`;
}

const annotation = (object: string): string =>
  `${object}.metadata.?annotations[?${celText(COMMAND_ANNOTATION)}].orValue('')`;
const isEdited = (field: string): string =>
  `(object.?spec.?rollout.?${field} != oldObject.?spec.?rollout.?${field} ? [${celText(field)}] : [])`;

const WHAT: Readonly<Record<CommandVerb, string>> = {
  promote:
    "(variables.commanded ? 'this command (' + variables.action + ')' : 'changing spec.rollout.' + variables.edited.join(', spec.rollout.') + ' while a rollout runs')",
  abort: "'this command (' + variables.action + ')'",
};

function validation(verb: CommandVerb): Validation {
  const may = `authorizer.group(${celText(GROUP)}).resource(${celText(PLURAL)}).namespace(request.namespace).name(object.metadata.name).check(${celText(verb)}).allowed()`;
  const what = WHAT[verb];
  const who = "request.userInfo.username";
  return {
    expression: `!(${celText(verb)} in variables.verbs) || ${may}`,
    message: `The verb ${verb} on ${PLURAL} is needed for this.`,
    messageExpression: `${what} + ' needs the verb ${verb} on ${PLURAL}, which ' + ${who} + ' does not have.' + ${celRemedy({ group: GROUP, resource: PLURAL, verb })}`,
  };
}

/** Commands need the verbs that stand for them, and so does steering by the spec while a rollout runs. Everything else is a matter of `update`. */
export function commandPolicy(): Policy {
  const actions = Object.keys(COMMAND_VERBS).join("|");
  return {
    variables: [
      { name: "command", expression: annotation("object") },
      { name: "before", expression: `oldObject == null ? '' : ${annotation("oldObject")}` },
      {
        name: "commanded",
        expression: "variables.command != '' && variables.command != variables.before",
      },
      { name: "action", expression: `variables.command.find(r'"(${actions})"')` },
      { name: "promotes", expression: `variables.command.matches(r'${commandPattern("promote")}')` },
      { name: "aborts", expression: `variables.command.matches(r'${commandPattern("abort")}')` },
      {
        name: "running",
        expression: `oldObject != null && !(oldObject.?status.?phase.orValue('Pending') in ${celTexts(AT_REST)})`,
      },
      {
        name: "edited",
        expression: `variables.running ? ${STEERING_FIELDS.map(isEdited).join(" + ")} : []`,
      },
      {
        name: "verbs",
        expression:
          "((variables.commanded && !variables.aborts) || variables.edited.size() > 0 ? ['promote'] : []) + (variables.commanded && !variables.promotes ? ['abort'] : [])",
      },
    ],
    validations: [validation("promote"), validation("abort")],
  };
}
