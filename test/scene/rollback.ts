import { expect } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import type { Load, LoadOptions, Report } from "../load/load.ts";
import type { Bridge } from "./api.ts";
import { podsOf } from "./pods.ts";
import type { Scene } from "./scene.ts";

/** A bridge whose stable version serves under constant load while bad versions are shipped beside it. */
export interface Serving {
  readonly bridge: Bridge;
  readonly load: Load;
  /** Revision of the stable version. */
  readonly stable: string;
  /** Its pods by uid, with their restarts and how the last of them came about. */
  readonly pods: Readonly<Record<string, string>>;
}

/** The pods of one revision by uid, with the restarts of their container and why: the same before and after what must not touch them. */
export async function restartsByPod(
  { client }: Scene,
  bridge: Bridge,
  revision: string,
): Promise<Readonly<Record<string, string>>> {
  const pods = (await podsOf(client, bridge)).filter((pod) => pod.revision === revision && !pod.terminating);
  return Object.fromEntries(pods.map(({ uid, restarts, lastEnd = "" }) => [uid, `${restarts} ${lastEnd}`]));
}

export async function serving(
  scene: Scene,
  name: string,
  spec: Partial<LLMBridgeSpecInput>,
  traffic: Omit<LoadOptions, "url">,
): Promise<Serving> {
  const bridge = scene.bridge(name);
  // Fixed, so that no scaling is between what is asked and what is seen.
  const full = await scene.spec({ scaling: { mode: "Fixed" }, ...spec });
  await bridge.apply(full);
  const { stable } = await bridge.promoted(full.image);
  const revision = stable?.revision ?? "";
  const load = await scene.load(bridge, traffic);
  const pods = await restartsByPod(scene, bridge, revision);
  expect(Object.keys(pods)).toHaveLength(full.replicas ?? 2);
  return { bridge, load, stable: revision, pods };
}

/** What is known of one version that was rolled back. */
export interface RolledBack {
  readonly canary: string;
  readonly status: LLMBridgeStatus;
  /** Why, in the operator's words. */
  readonly message: string;
  readonly editMs: number;
  readonly verdictMs: number;
}

/**
 * Edits the spec and waits until that version is rolled back for `reason`, with the stable version's pods the same as ever: nobody
 * restarted, nobody replaced.
 */
export async function rollsBack(
  scene: Scene,
  { bridge, stable, pods }: Serving,
  edit: Readonly<Record<string, unknown>>,
  reason: string,
): Promise<RolledBack> {
  const editMs = Date.now();
  await bridge.patch(edit);
  const { generation = 0 } = (await bridge.get())?.metadata ?? {};
  const status = await bridge.waitFor(
    `rolled back (${reason})`,
    ({ phase, observedGeneration = 0 }) => phase === "Aborted" && observedGeneration >= generation,
    180_000,
  );
  const { failed } = status.rollout ?? {};
  expect(failed?.reason, failed?.message).toBe(reason);
  expect(status.stable?.revision).toBe(stable);
  expect(await restartsByPod(scene, bridge, stable)).toEqual(pods);
  const verdict = status.decisions.find((one) => one.action === "Rollback");
  expect(verdict?.reason).toBe(reason);
  return {
    canary: failed?.revision ?? "",
    status,
    message: verdict?.message ?? "",
    editMs,
    verdictMs: Date.parse(verdict?.time ?? ""),
  };
}

/** From the decision to the start of the last request that the canary accepted, in seconds. */
export function lastAcceptedSeconds({ canary, verdictMs }: RolledBack, report: Report): number {
  return ((report.versions[canary]?.lastStartMs ?? Number.NaN) - verdictMs) / 1000;
}

/** Failed and cut requests of one version, for the closing note. */
export function sufferingOf(revision: string, report: Report): string {
  const { failed = 0, cut = 0, finished = 0 } = report.versions[revision] ?? {};
  return `${failed} failed, ${cut} cut of ${finished}`;
}

/** No request that the stable version took has failed or was cut. */
export function expectUnharmed({ stable }: Serving, report: Report): void {
  const { failed, cut, finished } = report.versions[stable] ?? {};
  const samples = report.samples.filter(({ version }) => version === stable);
  expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
  expect(finished).toBeGreaterThan(0);
}
