import type { Command } from "../../api/v1alpha1/commands.ts";
import { iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { type PlanStep, stepAt, stepsOf } from "../plan.ts";
import { answer, type Obedience, refuse, whyNotLead } from "./obedience.ts";

/** To a step by its name, forwards or backwards. What is left out is left out; the step itself is judged like every other. */
export function jump(context: Context, command: Command): Obedience {
  const { step, input } = context;
  const why = whyNotLead(context, command);
  if (why) return refuse(command, why);
  const steps = stepsOf(input.spec);
  const index = steps.findIndex(({ name }) => name === command.to);
  if (command.to === undefined || index < 0) {
    const which = command.to === undefined ? "names no step to jump to" : `names step ${command.to}`;
    return refuse(command, `The command ${which}; the plan has ${steps.map(({ name }) => name).join(", ")}.`);
  }
  if (index === step.index) return refuse(command, `Step ${step.name} is the present one.`);
  return leadOn(context, command, stepAt(input.spec, index));
}

/** To the next step, without waiting for the pods, hold, evidence or approval of the present one. */
export function skip(context: Context, command: Command): Obedience {
  const { step, input } = context;
  const why = whyNotLead(context, command);
  if (why) return refuse(command, why);
  if (command.step === undefined)
    return refuse(command, `The command names no step; the present one is ${step.name}. Name it.`);
  if (step.index === step.count - 1)
    return refuse(command, `Step ${step.name} is the last one; \`kubectl llmbridge promote\` leaves it.`);
  return leadOn(context, command, stepAt(input.spec, step.index + 1));
}

function leadOn(context: Context, command: Command, to: PlanStep): Obedience {
  const { step } = context;
  const way = to.index > step.index ? "on" : "back";
  return leadTo(context, command, to, {
    done: `It goes ${way} to step ${to.name} (${to.weight}%) as soon as the pods are there.`,
    told: `A person led it ${way} from step ${step.name} (${step.weight}%) to ${to.name} (${to.weight}%).`,
  });
}

interface Lead {
  done: string;
  told: string;
  approvedStep?: string;
}

/** The step becomes the present one. Capacity is built up or given back first, as at every step. */
export function leadTo(
  { state, step, canary, baseline, nowMs }: Context,
  command: Command,
  to: PlanStep,
  { done, told, approvedStep }: Lead,
): Obedience {
  // On its way to a weight the ready pods that are not stable's own serve already; led back to none they leave the Service only when they can be spared.
  const pods = canary.ready + baseline.ready;
  const serves = to.weight === 0 && step.weight > 0 && state.phase !== "Preparing" && pods > 0;
  const weight = serves ? Math.max(1, state.weight ?? 0) : state.weight;
  const change = { stepName: to.name, stepIndex: to.index, approvedStep, weight };
  const obeyed = {
    ...answer(command, "Done", done),
    told: { action: "Step" as const, reason: "Command", message: told },
  };
  const isThere = state.phase === "Preparing" || state.stepName === to.name;
  return isThere
    ? { ...obeyed, change }
    : { ...obeyed, transition: "Jumped", change: { ...change, waitingSince: iso(nowMs) } };
}
