import type { Clock } from "../kube/clock.ts";
import { canonicalJson } from "./canonical.ts";
import { shortHash } from "./names.ts";
import type { Write } from "./plan.ts";

/** Somebody else changes a child as often as the operator restores it, or has made of it what the operator does not know again. */
export class Contested extends Error {
  override readonly name = "Contested";
}

/** The same write to the same child that is no fight yet: a person who tries something out, or an autoscaler that is taken away. */
const MOST = 3;
const WITHIN_MS = 60_000;

/** A child that a plan would make is there, as the caches show it. */
interface Meeting {
  readonly kind: "Meeting";
  /** Plural, as all resources here. */
  readonly resource: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Labels by which a child is found are given back to it. */
interface Relabel {
  readonly kind: "Relabel";
  readonly resource: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What follows from finding a child that a plan would make. */
type Finding = Meeting | Relabel;

interface Restored {
  readonly uid: string;
  /** Hash of what the write said. */
  readonly wanted: string;
  readonly atMs: readonly number[];
}

/**
 * Keeps two writers of one child from answering each other for ever (a mutating webhook, an autoscaler on a Deployment of ours, another
 * operator): a write that says what the last one said is restoring, and of these only three a minute are let through.
 */
export interface Contests {
  /** @throws Contested where this write, or another meeting with the same, would be one too many. */
  permit(write: Write | Finding): void;
  /** The write was carried out. */
  note(write: Write | Finding): void;
}

export interface ContestsOptions {
  readonly clock: Clock;
  /**
   * Whether making a child again counts as restoring it. Default false: of what a bridge serves with, nothing is left out because
   * somebody deletes it.
   */
  readonly creations?: boolean;
}

/** For the children of one bridge; what it remembers may be lost. Takes no room until there is something to remember. */
export function createContests({ clock, creations = false }: ContestsOptions): Contests {
  let restored: Map<string, Restored> | undefined;

  const before = (write: RestoringWrite): Restored | undefined => {
    const found = restored?.get(keyOf(write));
    return found?.uid === uidOf(write) && found.wanted === wantedBy(write) ? found : undefined;
  };

  return {
    permit(write) {
      if (!isRestoring(write, creations)) return;
      const found = before(write);
      if (found && recent(found, clock).length >= MOST) throw new Contested(sentence(write));
    },
    note(write) {
      if (!isRestoring(write, creations)) return;
      const found = before(write);
      const atMs = [...(found ? recent(found, clock) : []), clock.monotonic()];
      restored ??= new Map();
      // Children of past revisions are restored no more.
      for (const [key, one] of restored) if (recent(one, clock).length === 0) restored.delete(key);
      restored.set(keyOf(write), { uid: uidOf(write), wanted: wantedBy(write), atMs });
    },
  };
}

function isRestoring(write: Write | Finding, creations: boolean): write is RestoringWrite {
  if (write.kind === "Create") return creations;
  if (write.kind === "Foreign") return write.resource !== "pods";
  return (
    write.kind === "Update" ||
    write.kind === "Capacity" ||
    write.kind === "RouteWeights" ||
    write.kind === "Meeting" ||
    write.kind === "Relabel"
  );
}

const recent = ({ atMs }: Restored, clock: Clock): readonly number[] =>
  atMs.filter((one) => clock.monotonic() - one < WITHIN_MS);

type RestoringWrite =
  | Extract<Write, { kind: "Create" | "Update" | "Capacity" | "RouteWeights" | "Foreign" }>
  | Finding;

function sentence(write: RestoringWrite): string {
  const [resource, name] = [resourceOf(write), nameOf(write)];
  if (write.kind === "Meeting")
    return `${resource} "${name}" belongs to this LLMBridge and is not what the operator made, so that it is neither used nor made again. Compare its labels with those of others with kubectl get ${resource} ${name} --show-managed-fields -o yaml, and give back what was taken off, or delete it.`;
  if (write.kind === "Relabel") return unlabelled(resource, name);
  return `Somebody else changes ${resource} "${name}" again and again; the operator now restores it only ${MOST} times a minute. See who with kubectl get ${resource} ${name} --show-managed-fields -o yaml, and make them stop or change the LLMBridge instead.`;
}

/** @param resource plural */
export const unlabelled = (resource: string, name: string): string =>
  `Labels by which the operator finds ${resource} "${name}" are taken off it again and again, so that it is neither used nor made again. Look for who does so among webhooks and policies with kubectl get mutatingwebhookconfigurations, or with kubectl get ${resource} ${name} --show-managed-fields -o yaml, and make them leave the labels app.kubernetes.io/managed-by and llmbridge.dev/* alone.`;

/** A child that is yet to be made has none. */
const uidOf = (write: RestoringWrite): string => (write.kind === "Create" ? "" : write.uid);
const resourceOf = (write: RestoringWrite): string => {
  if (write.kind === "Capacity") return "deployments";
  return write.kind === "RouteWeights" ? "httproutes" : write.resource;
};
const nameOf = (write: RestoringWrite): string =>
  "object" in write ? write.object.metadata.name : write.name;
/** What is counted apart from the updates of the same child. */
const APART: Readonly<Partial<Record<RestoringWrite["kind"], string>>> = {
  Create: "new",
  Meeting: "met",
  Relabel: "labels of",
};
const keyOf = (write: RestoringWrite): string =>
  `${APART[write.kind] ?? ""} ${resourceOf(write)}/${nameOf(write)}`;
const wantedBy = (write: RestoringWrite): string => shortHash(canonicalJson(saidBy(write)));

function saidBy(write: RestoringWrite): unknown {
  switch (write.kind) {
    case "Capacity":
      return [write.replicas, write.track];
    case "RouteWeights":
      return write.changes;
    case "Foreign":
      return write.patch;
    case "Meeting":
      return write.resourceVersion;
    case "Relabel":
      return write.labels;
    default:
      return write.object;
  }
}
