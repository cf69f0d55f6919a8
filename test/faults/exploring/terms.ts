import type { AuditedRequest } from "../../scene/audit.ts";
import { isOperators } from "../../scene/audit.ts";

/** One candidate's time as the leader, by the API server's log. */
export interface Term {
  readonly user: string;
  /** Its first write of the Lease has reached the server. */
  readonly fromMs: number;
  /** That of the next leader has; infinite of the last. */
  readonly toMs: number;
}

const CHANGES = new Set(["create", "update", "patch", "delete"]);

const changed = ({ userAgent, verb, code }: AuditedRequest): boolean =>
  isOperators(userAgent) && CHANGES.has(verb) && code < 400;

/** Each candidate is a user of its own. Who writes the Lease has it, or gives it up. */
export function termsIn(requests: readonly AuditedRequest[]): Term[] {
  const renewals = requests
    .filter((request) => changed(request) && request.resource === "leases")
    .toSorted((a, b) => a.receivedMs - b.receivedMs);
  const first = renewals.filter(({ user }, index) => user !== renewals[index - 1]?.user);
  return first.map(({ user, receivedMs }, index) => ({
    user,
    fromMs: receivedMs,
    toMs: first[index + 1]?.receivedMs ?? Number.POSITIVE_INFINITY,
  }));
}

/** Writes that the server carried out and that were not, from their arrival to their answer, within a term of their writer. */
export function outsideOfTerms(requests: readonly AuditedRequest[]): string[] {
  const terms = termsIn(requests);
  const isWithin = ({ user, receivedMs, answeredMs }: AuditedRequest): boolean =>
    terms.some((term) => term.user === user && term.fromMs <= receivedMs && answeredMs <= term.toMs);
  return requests
    .filter((request) => changed(request) && !["leases", "events"].includes(request.resource))
    .filter((request) => !isWithin(request))
    .map(
      ({ user, verb, resource, name, receivedMs }) =>
        `${user} did ${verb} ${resource} ${name} at ${receivedMs}, not as the leader`,
    );
}
