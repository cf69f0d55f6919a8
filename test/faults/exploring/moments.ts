import { LABELS } from "../../../contract/kubernetes.ts";
import type { KubeClient } from "../../../operator/kube/client.ts";
import type { KubeObject } from "../../../operator/kube/object.ts";
import type { KubeRequest } from "../request.ts";

/** What a fault can be bound to, each counted from 0 over a whole story. */
export type Kind =
  /** A write of the operator has reached the proxy. */
  | "Write"
  /** Somebody is about to change something: an edit, a command, a Secret. */
  | "Act"
  /** The news that a pod is ready has reached the proxy. */
  | "Ready";

export interface Moment {
  readonly kind: Kind;
  readonly index: number;
}

/** In order, what happened in a run: moments, and news of a resource that came for the operator. */
export type Entry =
  | { readonly kind: Kind; readonly what: string }
  | { readonly kind: "News"; readonly what: string };

export interface Moments {
  readonly trace: readonly Entry[];
  /** Called at that moment, before anything of it is passed on. */
  at(moment: Moment, act: () => void): void;
  note(kind: Kind, what: string): void;
  /** Takes an event of a watch of the operator's. */
  news(request: KubeRequest, line: string): void;
}

export function createMoments(): Moments {
  const trace: Entry[] = [];
  const counts: Record<Kind, number> = { Write: 0, Act: 0, Ready: 0 };
  const due = new Map<string, () => void>();
  const ready = new Set<string>();
  const note: Moments["note"] = (kind, what) => {
    trace.push({ kind, what });
    due.get(`${kind} ${counts[kind]++}`)?.();
  };
  return {
    trace,
    at: ({ kind, index }, act) => void due.set(`${kind} ${index}`, act),
    note,
    news({ resource }, line) {
      const { type, object } = JSON.parse(line) as { type: string; object: Pod };
      if (type === "BOOKMARK" || type === "ERROR") return;
      trace.push({ kind: "News", what: resource });
      if (resource !== "pods" || ready.has(object.metadata.uid) || !isReady(object)) return;
      ready.add(object.metadata.uid);
      note("Ready", `pod of ${object.metadata.labels?.[LABELS.revision]}`);
    },
  };
}

interface Pod extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;

/** The client of somebody whose every write is a moment. */
export function acting(client: KubeClient, { note }: Pick<Moments, "note">): KubeClient {
  const said = (verb: string, resource: string) => note("Act", `${verb} ${resource}`);
  return {
    ...client,
    create(resource, object, options) {
      said("create", resource.plural);
      return client.create(resource, object, options);
    },
    apply(resource, object, options) {
      said("apply", resource.plural);
      return client.apply(resource, object, options);
    },
    mergePatch(resource, namespace, name, patch, options) {
      said("patch", resource.plural);
      return client.mergePatch(resource, namespace, name, patch, options);
    },
    delete(resource, namespace, name, options) {
      said("delete", resource.plural);
      return client.delete(resource, namespace, name, options);
    },
  };
}
