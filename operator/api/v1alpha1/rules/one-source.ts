import { type Rule, rule } from "./rule.ts";

interface Variable {
  readonly name: string;
  readonly value?: unknown;
  readonly secretRef?: unknown;
  readonly configMapRef?: unknown;
}

const NEEDS = "needs exactly one of value, secretRef and configMapRef.";

/** A variable, of whichever container, says in one way where its value comes from. */
export const oneSource = (where: Pick<Rule, "id" | "path" | "accepted" | "refused" | "expect">): Rule =>
  rule<Variable>({
    ...where,
    validation: {
      rule: "[has(self.value), has(self.secretRef), has(self.configMapRef)].filter(b, b).size() == 1",
      message: `A variable ${NEEDS}`,
      messageExpression: `self.name + ' ${NEEDS}'`,
    },
    check: ({ name, value, secretRef, configMapRef }) =>
      [value, secretRef, configMapRef].filter((source) => source !== undefined).length === 1
        ? undefined
        : `${name} ${NEEDS}`,
  });
