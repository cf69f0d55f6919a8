import { ENV_REASONS, type EnvReason, REFUSED_ENV_NAMES } from "../env-names.ts";
import { celList, celString } from "./cel.ts";

const exact = (reason?: EnvReason) =>
  REFUSED_ENV_NAMES.filter(
    (entry) => !entry.name.endsWith("*") && (reason ?? entry.reason) === entry.reason,
  ).map(({ name }) => name);
const prefixes = (reason?: EnvReason) =>
  REFUSED_ENV_NAMES.filter(
    (entry) => entry.name.endsWith("*") && (reason ?? entry.reason) === entry.reason,
  ).map(({ name }) => name.slice(0, -1));

const isOneOf = (reason?: EnvReason) => {
  const beginnings = prefixes(reason);
  const named = `self.name in ${celList(exact(reason))}`;
  return beginnings.length === 0
    ? named
    : `(${named} || ${celList(beginnings)}.exists(p, self.name.startsWith(p)))`;
};

/** CEL that holds when the variable may be set. */
export function refusedEnvRule(): string {
  return `!(${isOneOf()})`;
}

/** CEL for the reason why it may not. */
export function envReasonExpression(): string {
  const cases = Object.keys(ENV_REASONS).map(
    (reason) => `${isOneOf(reason as EnvReason)} ? ${celString(ENV_REASONS[reason as EnvReason])}`,
  );
  return `(${cases.join(" : ")} : '')`;
}
