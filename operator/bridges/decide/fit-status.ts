import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";

/** A bridge's status is never larger than this: every watcher of bridges receives it with every write. */
export const STATUS_BYTES = 16 * 1024;

type Shorten = (status: LLMBridgeStatus) => LLMBridgeStatus;

const cut = (text: string, characters: number) =>
  text.length > characters ? `${text.slice(0, characters - 1)}…` : text;

/** What is given up first is what can be had elsewhere: past decisions are Events and log lines, verdicts and alerts are metrics. */
const SHORTENINGS: readonly Shorten[] = [
  (status) => ({
    ...status,
    decisions: status.decisions.map((one, index) => (index < 3 ? one : { ...one, refused: [] })),
  }),
  (status) => ({ ...status, decisions: status.decisions.slice(0, 5) }),
  (status) => ({
    ...status,
    alerts: status.alerts.map(({ recommendation: _, ...one }) => ({ ...one, message: cut(one.message, 80) })),
  }),
  (status) => ({
    ...status,
    secrets: status.secrets
      .slice(0, 8)
      .map((one) => ({ ...one, waiting: [], message: cut(one.message, 80) })),
  }),
  (status) => ({
    ...status,
    verdicts: status.verdicts.map((one) => ({ ...one, message: cut(one.message, 80) })),
  }),
  (status) =>
    status.tuning
      ? {
          ...status,
          tuning: { ...status.tuning, rationale: status.tuning.rationale.map((line) => cut(line, 80)) },
        }
      : status,
  (status) => ({
    ...status,
    secrets: status.secrets.slice(0, 2),
    decisions: status.decisions
      .slice(0, 2)
      .map((one) => ({ ...one, message: cut(one.message, 200), refused: [] })),
    conditions: status.conditions.map((one) => ({ ...one, message: cut(one.message, 300) })),
  }),
  (status) => ({
    ...status,
    conditions: status.conditions.map((one) => ({ ...one, message: cut(one.message, 160) })),
  }),
];

/** The status as it is where it fits, or shortened one kind of text after the other until it does. */
export function fitStatus(status: LLMBridgeStatus): LLMBridgeStatus {
  let fitting = status;
  for (const shorten of SHORTENINGS) {
    if (Buffer.byteLength(JSON.stringify(fitting)) <= STATUS_BYTES) return fitting;
    fitting = shorten(fitting);
  }
  return fitting;
}
