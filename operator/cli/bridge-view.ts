import * as z from "zod";
import { analysisValues, rollout } from "../api/v1alpha1/rollout.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { type LLMBridgeStatus, llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { withoutNewerFields } from "../bridges/observe/newer-fields.ts";
import type { KubeObject } from "../kube/object.ts";

/** A phase may be one of a newer operator, and is then shown as it is called there. */
type StatusView = Omit<Partial<LLMBridgeStatus>, "phase"> & { readonly phase?: string | undefined };

/** A stored bridge as this tool shows it. It may come from an older or a newer operator, so nothing in status is counted on. */
export interface BridgeView extends KubeObject {
  readonly spec: Pick<LLMBridgeSpec, "image" | "rollout">;
  readonly status: StatusView;
  /** Whether an operator has written any status. */
  readonly seen: boolean;
  /** Paths of what is there in a form that this version does not know. */
  readonly unread: readonly string[];
}

/** Reads what can be read of a stored bridge. Never throws: whoever looks at a cluster in trouble must see what there is. */
export function bridgeView(stored: KubeObject): BridgeView {
  const { spec, status } = stored as { spec?: unknown; status?: unknown };
  const written = readSpec(spec);
  const observed = readStatus(status);
  return {
    apiVersion: stored.apiVersion,
    kind: stored.kind,
    metadata: stored.metadata,
    spec: inForce(written.spec, observed.status),
    status: observed.status,
    seen: status !== undefined && Object.keys(Object(status)).length > 0,
    unread: [...written.unread, ...observed.unread],
  };
}

/** With the analysis that the operator acts on, where it is one of its settings. */
function inForce(spec: BridgeView["spec"], { analysis }: StatusView): BridgeView["spec"] {
  if (analysis?.values === undefined) return spec;
  try {
    const values = analysisValues.safeParse(JSON.parse(analysis.values));
    if (!values.success) return spec;
    return { ...spec, rollout: { ...spec.rollout, analysis: { ...values.data, from: analysis.from } } };
  } catch {
    return spec;
  }
}

function readSpec(stored: unknown): { spec: BridgeView["spec"]; unread: string[] } {
  const { spec } = withoutNewerFields(stored ?? {}) as { spec: { image?: unknown; rollout?: unknown } };
  const image = z.string().safeParse(spec.image);
  const steps = rollout.safeParse(spec.rollout ?? {});
  return {
    spec: { image: image.data ?? "", rollout: steps.data ?? { ...rollout.parse({}), ...pausedOf(spec) } },
    unread: [...(image.success ? [] : ["spec.image"]), ...(steps.success ? [] : ["spec.rollout"])],
  };
}

/** Whether it is paused can be read, and must be true, whatever else of the rollout is newer: `resume` asks for it. */
function pausedOf({ rollout: stored }: { rollout?: unknown }): { readonly paused?: boolean } {
  const { paused } = Object(stored) as { paused?: unknown };
  return typeof paused === "boolean" ? { paused } : {};
}

function readStatus(stored: unknown): { status: StatusView; unread: string[] } {
  const whole = llmBridgeStatus.safeParse(stored ?? {});
  if (whole.success) return { status: whole.data, unread: [] };
  const fields = Object.entries(Object(stored) as Record<string, unknown>);
  const read = fields.map(([name, value]) => ({ name, value, ...readField(name, value) }));
  const known = Object.fromEntries(
    read.flatMap(({ name, data }) => (data === undefined ? [] : [[name, data]])),
  );
  const { phase } = Object(stored) as { phase?: unknown };
  return {
    status: { ...known, ...(typeof phase === "string" ? { phase } : {}) },
    unread: read.filter(({ complete }) => !complete).map(({ name }) => `status.${name}`),
  };
}

/** One field of status; of a list the members that can be read. */
function readField(name: string, value: unknown): { data: unknown; complete: boolean } {
  const schema = (llmBridgeStatus.shape as Readonly<Record<string, z.ZodType>>)[name];
  // What only a newer operator writes is dropped, as the operator drops it.
  if (schema === undefined) return { data: undefined, complete: true };
  const whole = schema.safeParse(value);
  if (whole.success || !Array.isArray(value)) return { data: whole.data, complete: whole.success };
  const members = value.flatMap((member) => (schema.safeParse([member]).data as unknown[] | undefined) ?? []);
  return { data: members, complete: false };
}
