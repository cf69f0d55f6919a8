import type { ExternalGate } from "../gates.ts";
import type { Rollout, Step } from "../rollout.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { sentence } from "./cel.ts";
import { oneSource } from "./one-source.ts";
import { type Rule, rule } from "./rule.ts";

const webhook = { receiver: "evals" };
const job = { image: "registry.example/smoke:1" };
const gates = (...list: Record<string, unknown>[]) => ({ spec: { rollout: { gates: list } } });
const steps = (...names: string[]) => [{ name: "all", weight: 100, gates: names }];

/** A Job's name is the bridge's, the gate's and ten digits with dashes between, and at most a label's 63 characters. */
export const MOST_NAMES = 63 - 10 - 2;

interface Named {
  readonly metadata: { readonly name: string };
  readonly spec: Pick<LLMBridgeSpec, "rollout">;
}

type Variable = NonNullable<ExternalGate["job"]>["env"][number];

/** What is computed of a list's names is computed once: the API server's estimate multiplies whatever stands within a loop. */
const withKnown = (expression: string) => `[self.gates.map(one, one.name)].map(known, ${expression})[0]`;
const withTaken = (expression: string) =>
  `[self.analysis.gates.map(one, one.name)].map(taken, ${expression})[0]`;
const strange = (list: string) => `${list}.filter(g, !(g in known))`;
const unknown = (where: string, gate: string) =>
  `${where} names gate ${gate}, which is not in gates; add it there, or correct the name.`;
const tooLong = (gate: string, most: string) =>
  `the Job of gate ${gate} would have a name of more than 63 characters; give the gate one of at most ${most}.`;
const longName = `self.spec.rollout.gates.filter(g, has(g.job) && self.metadata.name.size() + g.name.size() > ${MOST_NAMES})`;

/** Gates whose verdict comes from outside. */
export const EXTERNAL_GATE_RULES: readonly Rule[] = [
  rule<ExternalGate>({
    id: "external-gate-one-kind",
    path: "spec.rollout.gates[]",
    validation: {
      rule: "has(self.webhook) != has(self.job)",
      message: "A gate needs exactly one of webhook and job.",
      messageExpression: "'gate ' + self.name + ' needs exactly one of webhook and job.'",
    },
    check: (gate) =>
      (gate.webhook === undefined) !== (gate.job === undefined)
        ? undefined
        : `gate ${gate.name} needs exactly one of webhook and job.`,
    accepted: gates({ name: "quality", webhook }, { name: "smoke", job }),
    refused: gates({ name: "quality", webhook, job }),
    expect: "gate quality needs exactly one of webhook and job",
  }),
  rule<Rollout>({
    id: "external-gates-known",
    path: "spec.rollout",
    validation: {
      rule: withKnown("self.steps.all(s, !has(s.gates) || s.gates.all(g, g in known))"),
      message: "Steps name gates of spec.rollout.gates.",
      messageExpression: withKnown(
        `self.steps.filter(s, has(s.gates) && !s.gates.all(g, g in known)).map(s, ${sentence`step ${"s.name"} names gate ${`${strange("s.gates")}[0]`}, which is not in gates; add it there, or correct the name.`})[0]`,
      ),
      fieldPath: ".steps",
    },
    check: (rollout) => {
      for (const step of rollout.steps) {
        const name = firstUnknown(rollout, step.gates);
        if (name !== undefined) return unknown(`step ${step.name}`, name);
      }
      return undefined;
    },
    accepted: { spec: { rollout: { gates: [{ name: "quality", webhook }], steps: steps("quality") } } },
    refused: { spec: { rollout: { gates: [{ name: "quality", webhook }], steps: steps("smoke") } } },
    expect: "step all names gate smoke, which is not in gates",
  }),
  rule<Rollout>({
    id: "preview-gates-known",
    path: "spec.rollout",
    validation: {
      rule: withKnown("!has(self.preview.gates) || self.preview.gates.all(g, g in known)"),
      message: "The preview names gates of spec.rollout.gates.",
      messageExpression: withKnown(
        sentence`the preview names gate ${`${strange("self.preview.gates")}[0]`}, which is not in gates; add it there, or correct the name.`,
      ),
      fieldPath: ".preview.gates",
    },
    check: (rollout) => {
      const name = firstUnknown(rollout, rollout.preview.gates);
      return name === undefined ? undefined : unknown("the preview", name);
    },
    accepted: { spec: { rollout: { gates: [{ name: "smoke", job }], preview: { gates: ["smoke"] } } } },
    refused: { spec: { rollout: { preview: { gates: ["smoke"] } } } },
    expect: "the preview names gate smoke, which is not in gates",
  }),
  rule<Rollout>({
    id: "external-gate-names-differ",
    path: "spec.rollout",
    validation: {
      rule: withTaken("self.gates.all(g, !(g.name in taken))"),
      message: "A gate of analysis has the same name.",
      messageExpression: withTaken(
        sentence`gate ${"self.gates.filter(g, g.name in taken)[0].name"} has the name of a gate of analysis; give it another.`,
      ),
      fieldPath: ".gates",
    },
    check: (rollout) => {
      const taken = rollout.gates.find(({ name }) => rollout.analysis.gates.some((one) => one.name === name));
      return taken && `gate ${taken.name} has the name of a gate of analysis; give it another.`;
    },
    accepted: gates({ name: "quality", webhook }),
    refused: {
      spec: {
        rollout: {
          gates: [{ name: "gc", webhook }],
          analysis: { gates: [{ name: "gc", metric: "GcTimeShare", below: "5%" }] },
        },
      },
    },
    expect: "gate gc has the name of a gate of analysis",
  }),
  rule<Named>({
    id: "gate-job-name",
    path: "",
    validation: {
      rule: `${longName}.size() == 0`,
      message: "The name of a gate with a Job is too long.",
      messageExpression: sentence`the Job of gate ${`${longName}[0].name`} would have a name of more than 63 characters; give the gate one of at most ${`${MOST_NAMES} - self.metadata.name.size()`}.`,
      fieldPath: ".spec.rollout.gates",
    },
    check: ({ metadata: { name }, spec }) => {
      const long = spec.rollout.gates.find(
        (gate) => gate.job !== undefined && name.length + gate.name.length > MOST_NAMES,
      );
      return long && tooLong(long.name, String(MOST_NAMES - name.length));
    },
    accepted: { name: "a".repeat(35), ...gates({ name: "b".repeat(16), job }) },
    refused: { name: "a".repeat(35), ...gates({ name: "b".repeat(17), job }) },
    expect: "give the gate one of at most 16",
  }),
  rule<Variable>({
    id: "gate-env-names",
    path: "spec.rollout.gates[].job.env[]",
    validation: {
      rule: "!self.name.startsWith('LLMBRIDGE_')",
      message: "Variables that begin with LLMBRIDGE_ are the operator's own.",
      messageExpression: "self.name + ' cannot be set here: the operator sets it; leave it out.'",
      fieldPath: ".name",
      reason: "FieldValueForbidden",
    },
    check: ({ name }) =>
      name.startsWith("LLMBRIDGE_")
        ? `${name} cannot be set here: the operator sets it; leave it out.`
        : undefined,
    accepted: gates({ name: "smoke", job: { ...job, env: [{ name: "SUITE", value: "quick" }] } }),
    refused: gates({ name: "smoke", job: { ...job, env: [{ name: "LLMBRIDGE_STEP", value: "x" }] } }),
    expect: "LLMBRIDGE_STEP cannot be set here",
  }),
  oneSource({
    id: "gate-env-one-source",
    path: "spec.rollout.gates[].job.env[]",
    accepted: gates({
      name: "smoke",
      job: { ...job, env: [{ name: "KEY", secretRef: { name: "evals", key: "token" } }] },
    }),
    refused: gates({ name: "smoke", job: { ...job, env: [{ name: "KEY" }] } }),
    expect: "KEY needs exactly one of value, secretRef and configMapRef",
  }),
];

const firstUnknown = ({ gates }: Rollout, names: Step["gates"] = []): string | undefined =>
  names.find((name) => !gates.some((gate) => gate.name === name));
