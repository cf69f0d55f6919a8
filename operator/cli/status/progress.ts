import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { ended } from "../render/sentence.ts";
import { askedRevision, isSeen, versionText } from "./standing.ts";
import { withName } from "./with-name.ts";

/** Something that happened on the way: when (RFC 3339; absent: just now), and what. */
export interface Progress {
  readonly at?: string;
  readonly what: string;
}

/** Decisions that move a rollout; others are of scaling, alerts and Secrets, and what holds stands in the summary. */
const MOVES: ReadonlySet<string> = new Set([
  ...["Start", "Step", "Promote", "Rollback", "Withdraw", "Finish", "Replace", "Adopt"],
]);

/** What was told: the state that was looked at last, the revision that was said to be asked for, and what it said of itself. */
export interface Told {
  readonly bridge: BridgeView;
  readonly asked: string | undefined;
  readonly summary: string | undefined;
}

/**
 * What is new in one state of a bridge. States in between may be left out: decisions are told all the same, since status keeps them; what it says of
 * itself is told when it changes.
 * @param before undefined at the beginning, where decisions of the past are no news
 */
export function progressOf(bridge: BridgeView, before: Told | undefined, where = ""): readonly Progress[] {
  const { name, generation } = bridge.metadata;
  const asked = askedRevision(bridge);
  const isAnother = asked !== undefined && asked !== before?.asked;
  const now = before?.asked === undefined ? "" : " now; that is followed";
  return [
    ...(isAnother
      ? [
          {
            what: `Generation ${generation} asks for revision ${versionText(asked, bridge.spec.image)}${now}.`,
          },
        ]
      : []),
    ...newDecisions(bridge, before?.bridge).map(({ time, message }) => ({
      at: time,
      what: withName(ended(message), name, where),
    })),
    ...summaryOf(bridge)
      .filter((said) => said !== before?.summary)
      .map((what) => ({ what: withName(what, name, where) })),
  ];
}

/** The same after it was told. */
export const toldAfter = (bridge: BridgeView, before: Told | undefined): Told => ({
  bridge,
  asked: askedRevision(bridge) ?? before?.asked,
  summary: summaryOf(bridge)[0] ?? before?.summary,
});

function newDecisions(bridge: BridgeView, before: BridgeView | undefined): readonly DecisionStatus[] {
  if (before === undefined) return [];
  const known = new Set((before.status.decisions ?? []).map(keyOf));
  return (bridge.status.decisions ?? [])
    .filter((one) => MOVES.has(one.action) && !known.has(keyOf(one)))
    .toReversed();
}

const keyOf = ({ time, action, message }: DecisionStatus): string => `${time} ${action} ${message}`;

/** What it says of itself. Between an edit and the operator's next look that is of the edit before. */
const summaryOf = (bridge: BridgeView): readonly string[] =>
  isSeen(bridge) && bridge.status.summary ? [ended(bridge.status.summary)] : [];
