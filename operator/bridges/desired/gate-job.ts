import { LABELS } from "../../../contract/kubernetes.ts";
import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { type GateQuestion, questionId } from "../../gates/question.ts";
import { childLabels, ownerReference } from "../names.ts";
import { NO_PRIVILEGES, podBasics } from "./pod-basics.ts";

/** Of the question's id: a bridge and a gate have few questions. */
const ID_DIGITS = 10;

/** The same for the same stay at a step, whoever makes the Job; at most 63 characters, as the resource's rules see to. */
export const gateJobName = (question: GateQuestion): string =>
  `${question.bridge.name}-${question.gate}-${questionId(question).slice(0, ID_DIGITS)}`;

type Job = NonNullable<ExternalGate["job"]>;

export interface GateJobInput {
  readonly question: GateQuestion;
  readonly job: Job;
  /** Where the pods of the bridge may run, and by what they pull images, holds for the Job's too. */
  readonly pod: Pick<LLMBridgeSpec["pod"], "nodeSelector" | "tolerations" | "imagePullSecrets">;
}

/**
 * The Job of one stay at a step. Its pod satisfies the restricted Pod Security Standard whatever the spec says, holds no token, and carries none of the
 * labels by which Services, budgets and the operator select pods of the bridge.
 *
 * Its deadline is the book's: a clock of Kubernetes would run on in a pause, and not follow an edit. Without a verdict by then it is deleted.
 */
export function gateJob(input: GateJobInput) {
  const { question, job } = input;
  const { bridge, revision } = question;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: gateJobName(question),
      namespace: bridge.namespace,
      labels: { ...childLabels(bridge.name, "gate"), [LABELS.revision]: revision },
      ownerReferences: [ownerReference(bridge)],
    },
    spec: {
      backoffLimit: job.backoffLimit,
      // A pod that a node's drain or a more important pod takes away says nothing about the canary.
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      template: podTemplate(input),
    },
  };
}

function podTemplate({ question, job, pod }: GateJobInput) {
  return {
    metadata: {
      labels: {
        "app.kubernetes.io/name": "llmbridge-gate",
        "app.kubernetes.io/instance": question.bridge.name,
        "app.kubernetes.io/component": "gate",
      },
    },
    spec: {
      restartPolicy: "Never",
      ...podBasics(question.bridge.name, pod),
      containers: [
        {
          name: "gate",
          image: job.image,
          ...(job.command.length > 0 ? { command: job.command } : {}),
          ...(job.args.length > 0 ? { args: job.args } : {}),
          env: [...ownVariables(question), ...job.env.map(variableOf)],
          resources: job.resources,
          securityContext: NO_PRIVILEGES,
          // Its last words are the reason that people read.
          terminationMessagePolicy: "FallbackToLogsOnError",
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        },
      ],
      volumes: [{ name: "tmp", emptyDir: { sizeLimit: "256Mi" } }],
    },
  };
}

/** What the Job is told of what it judges. */
function ownVariables(question: GateQuestion): { name: string; value: string }[] {
  const { gate, bridge, revision, stableRevision, step, canaryUrl, stableUrl } = question;
  return Object.entries({
    LLMBRIDGE_GATE: gate,
    LLMBRIDGE_GATE_ID: questionId(question),
    LLMBRIDGE_BRIDGE: bridge.name,
    LLMBRIDGE_NAMESPACE: bridge.namespace,
    LLMBRIDGE_REVISION: revision,
    LLMBRIDGE_STABLE_REVISION: stableRevision,
    LLMBRIDGE_STEP: step.name,
    LLMBRIDGE_WEIGHT: String(step.weight),
    LLMBRIDGE_CANARY_URL: canaryUrl,
    LLMBRIDGE_STABLE_URL: stableUrl,
  }).map(([name, value]) => ({ name, value }));
}

function variableOf({ name, value = "", secretRef, configMapRef }: Job["env"][number]) {
  if (secretRef) return { name, valueFrom: { secretKeyRef: secretRef } };
  return configMapRef ? { name, valueFrom: { configMapKeyRef: configMapRef } } : { name, value };
}
