import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { decide } from "../bridges/decide.ts";
import { keptSecret } from "../bridges/desired/kept-secret.ts";
import { emptyMemory } from "../bridges/memory.ts";
import type { BridgeRef } from "../bridges/names.ts";
import { UNMEASURED } from "../bridges/observe/measurements.ts";
import { parseSpec } from "../bridges/observe.ts";
import type { ChildObject, Write } from "../bridges/plan.ts";
import { configMapsFor, keptConfigMaps } from "../bridges/references.ts";
import { contentMarks, revisionHash } from "../bridges/revision.ts";
import { keptSecrets, secretsFor } from "../bridges/secret-references.ts";
import { ALONE } from "../rollout/fleet/view.ts";
import { VERSION } from "../version.ts";
import { CliFailure } from "./failure.ts";
import type { Manifest } from "./lint-yaml.ts";

/** Stands for the uid that the API server would give. */
const NO_UID = "00000000-0000-0000-0000-000000000000";

export interface RenderedBridge {
  readonly revision: string;
  /** In the order in which the operator would make them. */
  readonly children: readonly ChildObject[];
}

/**
 * What the operator makes of a bridge that it sees for the first time, by the operator's own decision and without a cluster. It knows no
 * traffic, so the numbers are those of the beginning, and no ConfigMaps and Secrets, so that copies of them are empty and the revision is named as if they were. Owner references name a uid that only the API server gives; where the manifest has
 * none they are left out, since an object with a wrong owner is deleted as soon as it is applied.
 * @param namespace for manifests that name none
 * @throws CliFailure where the operator would refuse the spec
 */
export function rendered(manifest: Manifest, namespace: string): RenderedBridge {
  const { metadata } = manifest;
  const spec = parseSpec(metadata.name, manifest.spec);
  const configMaps = configMapsFor(spec);
  const secrets = secretsFor(spec);
  const nowMs = 0;
  const bridge = {
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
    uid: metadata.uid ?? NO_UID,
  };
  const { plan } = decide({
    ...UNMEASURED,
    nowMs,
    bridge,
    generation: 1,
    spec,
    status: llmBridgeStatus.parse({}),
    analysisProblem: undefined,
    gates: { answers: [], problem: undefined },
    unreadableStatus: undefined,
    podMonitor: undefined,
    route: { kind: "Served", route: undefined, owned: undefined, mayMirror: true },
    takeOver: { kind: "None" },
    command: undefined,
    children: [],
    deployments: [],
    pods: [],
    kubelet: {},
    problem: undefined,
    configMaps,
    secrets,
    rollouts: ALONE,
    memory: emptyMemory(nowMs),
    rendererVersion: VERSION,
  });
  const accepted = plan.status.conditions.find(({ type }) => type === "Accepted");
  if (!spec.ok || accepted?.status !== "True")
    throw new CliFailure(`${metadata.name}: ${accepted?.message ?? "the spec cannot be read."}`);
  const children = plan.writes.flatMap((write) => madeBy(write, bridge));
  return {
    revision: revisionHash(
      spec.value,
      contentMarks({
        configMaps: keptConfigMaps(spec.value, configMaps) ?? [],
        secrets: keptSecrets(spec.value, secrets) ?? [],
      }),
    ),
    children: metadata.uid === undefined ? children.map(withoutOwner) : children,
  };
}

/** Copies of Secrets stand there without their content, and without their owners. */
function madeBy(write: Write, bridge: BridgeRef): readonly ChildObject[] {
  if (write.kind === "Create") return [write.object];
  if (write.kind !== "KeepSecret") return [];
  return [keptSecret(bridge, write.revision, write, {}, [])];
}

function withoutOwner(child: ChildObject): ChildObject {
  const { ownerReferences: _, ...metadata } = child.metadata;
  return { ...child, metadata };
}
