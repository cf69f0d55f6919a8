import type { BridgeView } from "../bridge-view.ts";

/** Something that a person could type now, and what it would do. */
export interface Action {
  readonly command: string;
  readonly does: string;
}

const MOVING = ["Preparing", "Stepping", "Holding"];

/**
 * What a person could do now. `where` stands behind each command of this tool: the options by which the person named the place.
 */
export function possibleActions(bridge: BridgeView, where = ""): readonly Action[] {
  const { status, spec, metadata, seen } = bridge;
  const { name, namespace = "default" } = metadata;
  const own = (rest: string, does: string): Action => ({
    command: `kubectl llmbridge ${rest.replace("NAME", name)}${where}`,
    does,
  });
  if (!seen)
    return [
      {
        command: "kubectl get pods -A -l app.kubernetes.io/name=llmbridge-operator",
        does: "see whether an operator runs",
      },
    ];
  const isRefused = conditionIs(bridge, "Accepted", "False");
  const moves = status.canary !== undefined && MOVING.includes(status.phase ?? "");
  const watched = status.phase === "Watching" ? status.previous : undefined;
  const failed = status.canary === undefined ? status.rollout?.failed : undefined;
  return [
    ...(isRefused || failed
      ? [{ command: `kubectl edit llmbridge ${name} -n ${namespace}`, does: "correct the spec" }]
      : []),
    ...(failed ? [own("retry NAME", `try revision ${failed.revision} again`)] : []),
    ...(spec.rollout.paused ? [own("resume NAME", "let it go on")] : []),
    ...(moves && !spec.rollout.paused && !isRefused ? promotions(bridge, own) : []),
    ...(watched ? watchEnds(watched.revision, own) : []),
    ...(moves ? [own("abort NAME", "take the canary away and keep the stable version")] : []),
    ...(moves && !spec.rollout.paused ? [own("pause NAME", "hold it where it is")] : []),
    ...(moves ? [own("diff NAME", "see what the canary changes")] : []),
    ...(conditionIs(bridge, "Ready", "False") || moves
      ? [own("get NAME -w", "watch its pods and its evidence")]
      : []),
    own("history NAME", "see its revisions"),
  ];
}

const watchEnds = (before: string, own: (rest: string, does: string) => Action): readonly Action[] => [
  own("abort NAME", `return to revision ${before}`),
  own("promote NAME", `give revision ${before} up now`),
];

function promotions(
  { status: { step, phase } }: BridgeView,
  own: (rest: string, does: string) => Action,
): readonly Action[] {
  const full = own("promote NAME --full", "give it all of the traffic now, without the proof");
  if (step === undefined || phase === "Preparing") return [full];
  const release = step.needsApproval
    ? `approve step ${step.name}`
    : `leave step ${step.name} now, without the proof`;
  return [own("promote NAME", release), full];
}

function conditionIs(bridge: BridgeView, type: string, status: string): boolean {
  return bridge.status.conditions?.some((one) => one.type === type && one.status === status) ?? false;
}
