import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** One finished request, as the API server's audit log tells it. */
export interface AuditedRequest {
  readonly verb: string;
  /** API group; empty for the core group. */
  readonly group: string;
  /** `deployments`, `llmbridges/status`, ... */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly user: string;
  readonly userAgent: string;
  readonly uri: string;
  readonly receivedMs: number;
  readonly answeredMs: number;
}

interface AuditLine {
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly requestReceivedTimestamp: string;
  /** Of the stage that is logged, which is the answer's end. */
  readonly stageTimestamp: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** What is written to the audit log from now on. */
export interface Audit {
  /** Every request that has finished since the audit began. */
  requests(): Promise<readonly AuditedRequest[]>;
}

/** The log is written just after the answer has left. */
const WRITTEN_WITHIN_MS = 100;

export function startAudit(path: string): Audit {
  const from = sizeOf(path);
  return {
    async requests() {
      await delay(WRITTEN_WITHIN_MS);
      return readFrom(path, from)
        .split("\n")
        .filter((line) => line.endsWith("}"))
        .map((line) => requestOf(JSON.parse(line) as AuditLine));
    },
  };
}

/** Requests of the operator that change something, but for its lease. */
export function writesOfOperator(requests: readonly AuditedRequest[]): AuditedRequest[] {
  return requests.filter(
    ({ userAgent, verb, resource, code }) =>
      isOperators(userAgent) &&
      resource !== "leases" &&
      ["create", "patch", "update", "delete"].includes(verb) &&
      code < 400,
  );
}

export const isOperators = (userAgent: string): boolean => userAgent.startsWith("llmbridge-operator/");

/** "configmaps create 2, deployments patch 1": how many of each. */
export function countsText(requests: readonly AuditedRequest[]): string {
  const counts = new Map<string, number>();
  for (const { resource, verb, code } of requests) {
    // A server-side apply that makes an object is a PATCH answered by 201.
    const key = `${resource} ${verb === "patch" && code === 201 ? "create" : verb}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .sort()
    .map(([key, count]) => `${key} ${count}`)
    .join(", ");
}

function requestOf(line: AuditLine): AuditedRequest {
  const { apiGroup = "", resource = "", subresource, namespace = "", name = "" } = line.objectRef ?? {};
  return {
    verb: line.verb,
    group: apiGroup,
    resource: subresource ? `${resource}/${subresource}` : resource,
    namespace,
    name,
    code: line.responseStatus?.code ?? 0,
    user: line.user?.username ?? "",
    userAgent: line.userAgent ?? "",
    uri: line.requestURI,
    receivedMs: timeMs(line.requestReceivedTimestamp),
    answeredMs: timeMs(line.stageTimestamp),
  };
}

/** With the microseconds, which Date leaves out. */
function timeMs(time: string): number {
  const micros = /\.\d{3}(\d{3})/.exec(time)?.[1] ?? "0";
  return Date.parse(time) + Number(micros) / 1_000;
}

function sizeOf(path: string): number {
  const file = openSync(path, "r");
  try {
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

function readFrom(path: string, from: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    const read = readSync(file, bytes, 0, bytes.length, from);
    return bytes.subarray(0, read).toString("utf8");
  } finally {
    closeSync(file);
  }
}
