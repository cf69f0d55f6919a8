import type { Context } from "../context.ts";
import type { Policy } from "../policies/first.ts";
import type { Withdrawal } from "../policies/withdrawal.ts";
import { tail } from "../sentence.ts";
import { actingGates } from "./holds.ts";

const failed: Policy<Withdrawal> = (context) => {
  if (context.input.spec.onFailure !== "Rollback" || !isHolding(context)) return undefined;
  const found = actingGates(context).find(({ entry }) => entry?.state === "Failed");
  return (
    found && {
      reason: "GateFailed",
      message: `gate ${found.gate.name}: ${tail(found.entry?.message ?? "it failed")}`,
    }
  );
};

const withoutVerdict: Policy<Withdrawal> = (context) => {
  if (!isHolding(context)) return undefined;
  const found = actingGates(context).find(
    ({ gate, entry }) => entry?.state === "NoData" && gate.noData === "Rollback",
  );
  return (
    found && {
      reason: "GateNoData",
      message: `gate ${found.gate.name}: ${tail(found.entry?.message ?? "no verdict")}`,
    }
  );
};

/** A refused spec says nothing of its gates. */
const isHolding = ({ state, input }: Context): boolean => state.phase === "Holding" && input.accepted;

/** What a gate does about a canary. */
export const FAILED_OUTSIDE: readonly Policy<Withdrawal>[] = [failed, withoutVerdict];
