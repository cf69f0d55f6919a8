import * as z from "zod";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { celRemedy, type Policy, type Validation } from "./policy.ts";

/**
 * A check of one name costs a third of what the API server lets an expression cost, and all together may cost 28 checks: so many Secrets can be
 * named anew in one request by somebody who may not read them all.
 */
export const MOST_NEW_SECRETS = 16;

/**
 * Paths of all fields that name a Secret, such as `spec.upstreams[].secretRef.name`. CEL does not flatten lists, so of a list in a list the outer one
 * stands there by its places: `spec.rollout.gates[0].job.env[].secretRef.name`, and so on.
 */
export function secretPaths(schema: z.ZodType = llmBridgeSpec, path = "spec"): readonly string[] {
  if (schema.meta()?.["x-llmbridge-kind"] === "secretName") return [path];
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([field, inner]) =>
      secretPaths(inner as z.ZodType, `${path}.${field}`),
    );
  if (schema instanceof z.ZodArray) {
    const inner = secretPaths(schema.element as z.ZodType, "");
    return inner.flatMap((rest) =>
      rest.includes("[]") ? places(schema).map((place) => `${path}[${place}]${rest}`) : [`${path}[]${rest}`],
    );
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return secretPaths(schema.unwrap() as z.ZodType, path);
  return [];
}

/** As many as the schema lets there be. */
function places(list: z.ZodArray): readonly number[] {
  const checks = (list._zod.def.checks ?? []).map(
    ({ _zod }) => _zod.def as { check: string; maximum?: number },
  );
  const maximum = checks.find(({ check }) => check === "max_length")?.maximum;
  if (maximum === undefined) throw new Error("a list of lists that name Secrets needs a bound");
  return Array.from({ length: maximum }, (_, place) => place);
}

/** In CEL: the names at a path of an object, none where it is not there. */
function namesAt(object: string, path: string): string {
  const optional = (fields: string) => fields.split(".").map((field) => `.?${field.replace("[", "[?")}`);
  const [list = "", inner] = path.split("[].");
  if (inner === undefined) {
    const value = `${object}${optional(list).join("")}`;
    return `(${value}.hasValue() ? [${value}.value()] : [])`;
  }
  const name = `one${optional(inner).join("")}`;
  return `${object}${optional(list).join("")}.orValue([]).filter(one, ${name}.hasValue()).map(one, ${name}.value())`;
}

const namesOf = (object: string): string =>
  secretPaths()
    .map((path) => namesAt(object, path))
    .join(" + ");

const SECRETS = "authorizer.group('').resource('secrets').namespace(request.namespace)";
const WHO = "request.userInfo.username";
const REMEDY = celRemedy({ group: "", resource: "secrets", verb: "get" });

/** Whether the user may read the Secret that stands first among those that are left after `index` others. */
function validation(index: number): Validation {
  const left = `variables.left${index}`;
  return {
    expression: `variables.mayAll || ${left}.size() == 0 || ${SECRETS}.name(${left}[0]).check('get').allowed()`,
    message: "Whoever names a Secret in a bridge must be allowed to get it.",
    messageExpression: `'the bridge names Secret ' + ${left}[0] + ', which ' + ${WHO} + ' may not get: the pods, whose image the bridge chooses, would read it.' + ${REMEDY}`,
  };
}

/** A bridge's pods read what it names, so nobody may name a Secret that they may not read themselves. Those that it names already are not asked for again. */
export function secretPolicy(): Policy {
  const places = Array.from({ length: MOST_NEW_SECRETS }, (_, index) => index);
  return {
    variables: [
      { name: "before", expression: `oldObject == null ? [] : ${namesOf("oldObject")}` },
      { name: "left0", expression: `(${namesOf("object")}).filter(name, !(name in variables.before))` },
      // The same without the one that stands first, as often as it stands there: CEL has no way to go through distinct names.
      ...places.map((index) => ({
        name: `left${index + 1}`,
        expression: `variables.left${index}.size() == 0 ? [] : variables.left${index}.filter(name, name != variables.left${index}[0])`,
      })),
      { name: "mayAll", expression: `variables.left0.size() == 0 || ${SECRETS}.check('get').allowed()` },
    ],
    validations: [
      ...places.map(validation),
      {
        expression: `variables.mayAll || variables.left${MOST_NEW_SECRETS}.size() == 0`,
        message: `More than ${MOST_NEW_SECRETS} Secrets are named anew.`,
        messageExpression: `'the bridge names more than ${MOST_NEW_SECRETS} Secrets anew, which only somebody may who may get every Secret of the namespace; name them in several edits.'`,
      },
    ],
  };
}
