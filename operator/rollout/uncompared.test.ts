import { expect, it } from "vitest";
import { rollout } from "../api/v1alpha1/rollout.ts";
import { uncomparedGates } from "./uncompared.ts";

const cpu = { name: "cpu", metric: "CpuShare", maxIncrease: "20%" } as const;
const memory = { name: "memory", metric: "MemoryPerPod", minDecrease: "20%" } as const;
const p95 = { name: "p95", metric: "FirstByteP95", below: "120ms" } as const;
const all = { name: "all", weight: 100 };
const dark = { name: "dark", weight: 0 };

it.each([
  ["steps between", {}, [cpu], undefined],
  ["copies of requests", { steps: [{ ...dark, mirror: 50 }, all] }, [cpu], undefined],
  ["limits of their own", { steps: [all] }, [p95], undefined],
  ["no evidence at all", { strategy: "Immediate" }, [cpu], undefined],
  ["the switch alone", { strategy: "BlueGreen" }, [cpu, p95], "gate cpu compares with the stable version"],
  ["one step", { steps: [all] }, [cpu, memory], "gates cpu, memory compare with the stable version"],
  ["a dark step before it", { steps: [dark, all] }, [memory], "or give it a limit below or above."],
] as const)("with %s", (_, plan, gates, says) => {
  const message = uncomparedGates(rollout.parse({ ...plan, analysis: { gates } }));
  if (says === undefined) expect(message).toBeUndefined();
  else expect(message).toContain(says);
});
