import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { GateStatus, LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { WebhookQuestion } from "../../gates/calls.ts";
import type { GateQuestion } from "../../gates/question.ts";
import { digestOf } from "../../rollout/gates/digest.ts";
import { stepsOf } from "../../rollout/plan.ts";
import type { AdministratorSettings } from "../../settings/file.ts";
import { type BridgeRef, canaryService, productionService } from "../names.ts";

/** What the administrator's settings say of gates. */
export type GateSettings = Pick<AdministratorSettings, "gateWebhooks" | "gateJobs">;

/** A gate that is in the book. */
export interface Booked {
  /**
   * What it asks whom; undefined where that is not what was booked, or is not permitted: a refused spec keeps its book, and what it says of a gate must
   * then neither be asked in the name of that nor answer it.
   */
  readonly gate: ExternalGate | undefined;
  readonly entry: GateStatus;
  readonly question: GateQuestion;
}

/** The gates of the book, as it is stored. */
export function bookedGates(
  bridge: BridgeRef,
  spec: LLMBridgeSpec,
  status: LLMBridgeStatus,
  settings: GateSettings,
): Booked[] {
  const { gates = [], canaryRevision: revision, stableRevision, stepName } = status.rollout ?? {};
  const step = stepsOf(spec.rollout).find(({ name }) => name === stepName);
  if (revision === undefined || stableRevision === undefined || step === undefined) return [];
  return gates.map((entry): Booked => {
    const gate = spec.rollout.gates.find(({ name }) => name === entry.name);
    const isBooked = gate !== undefined && digestOf(gate) === entry.digest;
    const isAsked = isBooked && gateObjection(gate, bridge.namespace, settings) === undefined;
    const { since, until } = entry;
    const question: GateQuestion = {
      gate: entry.name,
      ...{ bridge, revision, stableRevision, since, until },
      image: status.canary?.image ?? "",
      step: { name: step.name, weight: step.weight },
      canaryUrl: `http://${canaryService(bridge.name)}.${bridge.namespace}.svc`,
      stableUrl: `http://${productionService(bridge.name)}.${bridge.namespace}.svc`,
    };
    return { gate: isAsked ? gate : undefined, entry, question };
  });
}

/** What is to be asked of webhooks. */
export function webhookQuestions(booked: readonly Booked[]): WebhookQuestion[] {
  return booked.flatMap(({ gate, entry, question }) =>
    gate?.webhook && entry.state === "Asked"
      ? [{ ...question, receiver: gate.webhook.receiver, timeoutMs: durationMs(gate.webhook.timeout) }]
      : [],
  );
}

/** Why the spec's gates are not permitted, if so. */
export function gateProblem(
  { rollout }: LLMBridgeSpec,
  namespace: string,
  settings: GateSettings,
): string | undefined {
  for (const [index, gate] of rollout.gates.entries()) {
    const objection = gateObjection(gate, namespace, settings);
    if (objection !== undefined) return `spec.rollout.gates[${index}].${objection}`;
  }
  return undefined;
}

/** Why one gate is not permitted, from its field on. */
function gateObjection(
  { webhook, job }: ExternalGate,
  namespace: string,
  { gateWebhooks, gateJobs }: GateSettings,
): string | undefined {
  const isOpen = ({ allowedNamespaces }: { readonly allowedNamespaces: readonly string[] }): boolean =>
    allowedNamespaces.includes("*") || allowedNamespaces.includes(namespace);
  const receiver = gateWebhooks.find(({ name }) => name === webhook?.receiver);
  if (webhook && !receiver)
    return `webhook.receiver: "${webhook.receiver}" is not in the operator's settings; ask the administrator to add it to gateWebhooks.`;
  if (receiver && !isOpen(receiver))
    return `webhook.receiver: "${receiver.name}" is not open to this namespace; ask the administrator to add it to allowedNamespaces.`;
  if (job && !gateJobs)
    return `job: gates may run no Jobs here; ask the administrator to set settings.gateJobs: {} in the values of the operator's chart, or use a webhook.`;
  if (job && gateJobs && !isOpen(gateJobs))
    return `job: gates of this namespace may run no Jobs; ask the administrator to add it to gateJobs.allowedNamespaces, or use a webhook.`;
  return undefined;
}
