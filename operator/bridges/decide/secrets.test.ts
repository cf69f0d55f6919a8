import { describe, expect, it } from "vitest";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { SecretReading } from "../../prometheus/source.ts";
import { ANNOTATIONS } from "../names.ts";
import { type ObservedPod, observePod } from "../observe/pod.ts";
import type { Snapshot } from "../snapshot.ts";
import { lookAtSecrets, ONE_CHANGE_MS, OVERDUE_MS, type SecretsLook } from "./secrets.ts";

const T0 = Date.parse("2026-01-01T00:00:00Z");
const LONG_AGO = T0 - 3_600_000;
const START: SecretReading = { sinceMs: LONG_AGO, changes: 0, refused: false };
const changed = (sinceMs: number, changes = 1): SecretReading => ({ sinceMs, changes, refused: false });

function pod(name: string, over: Partial<ObservedPod> = {}): ObservedPod {
  const metadata = { name, namespace: "ai", uid: `uid-${name}`, resourceVersion: "1" };
  return { ...observePod({ metadata }), revision: "r1", createdMs: LONG_AGO, ready: true, ...over };
}

/** One bridge whose looks follow each other: each stands on the status of the one before, and carries out its touches. */
class Bridge {
  nowMs = T0;
  pods: ObservedPod[];
  readings: Record<string, SecretReading | undefined> = {};
  isAway = false;
  private status = llmBridgeStatus.parse({});

  constructor(...names: string[]) {
    this.pods = names.map((name) => pod(name));
    this.readings = Object.fromEntries(names.map((name) => [name, START]));
  }

  look(afterMs = 2_000): SecretsLook & { readonly said: SecretsLook["statuses"][number] | undefined } {
    this.nowMs += afterMs;
    const { nowMs, pods, status } = this;
    const value = Object.entries(this.readings).flatMap(([name, reading]) => {
      const revision = pods.find((one) => one.name === name)?.revision ?? "r1";
      return reading ? [{ pod: name, revision, stale: false, secrets: { openai: reading } }] : [];
    });
    const fleet = this.isAway
      ? { kind: "failing", reason: "SourceFailing", message: "" }
      : { kind: "ok", value };
    const found = lookAtSecrets({ nowMs, pods, status, fleet } as unknown as Snapshot);
    this.status = { ...status, secrets: [...found.statuses] };
    for (const { name, annotations } of found.touches)
      this.pods = this.pods.map((one) =>
        one.name === name
          ? { ...one, touchedForSecrets: annotations[ANNOTATIONS.secretsChanged] ?? "" }
          : one,
      );
    return { ...found, said: found.statuses[0] };
  }
}

const actions = (look: SecretsLook) => look.decisions.map(({ action, reason }) => `${action} ${reason}`);

describe("lookAtSecrets", () => {
  it("says nothing while every pod has what it started with", () => {
    expect(new Bridge("a", "b").look()).toMatchObject({ statuses: [], decisions: [], touches: [] });
  });

  it("follows a change until every pod has read it, touches each that has not, once, and tells of the end, once", () => {
    const bridge = new Bridge("a", "b", "c");
    bridge.readings.a = changed(T0 + 10_000);
    const first = bridge.look(12_000);
    expect(first.said).toMatchObject({ state: "Rereading", pods: 3, read: 1, waiting: ["b", "c"] });
    expect(first.touches.map(({ name }) => name)).toEqual(["b", "c"]);
    expect(first.decisions).toEqual([]);
    bridge.readings.b = changed(T0 + 13_000);
    const second = bridge.look();
    expect(second.said).toMatchObject({ state: "Rereading", read: 2 });
    expect(second.touches).toEqual([]);
    bridge.readings.c = changed(T0 + 15_000);
    const third = bridge.look();
    expect(third.said).toMatchObject({
      state: "Reread",
      changedAt: "2026-01-01T00:00:10.000Z",
      message: 'Secret "openai" was re-read by 3 of 3 pods.',
    });
    expect(actions(third)).toEqual(["Reread SecretReread"]);
    expect(bridge.look().decisions).toEqual([]);
  });

  it("warns once of a pod that has not read a change in time, and takes its late reading for the same change", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings.a = changed(T0 + 1_000);
    bridge.look();
    const late = bridge.look(OVERDUE_MS);
    expect(late.said).toMatchObject({ state: "Overdue", read: 1, pods: 2, waiting: ["b"] });
    expect(actions(late)).toEqual(["NotReread SecretOverdue"]);
    expect(bridge.look().decisions).toEqual([]);
    bridge.readings.b = changed(bridge.nowMs);
    const end = bridge.look();
    expect(end.said).toMatchObject({ state: "Reread", changedAt: "2026-01-01T00:00:01.000Z" });
    expect(actions(end)).toEqual(["Reread SecretReread"]);
    expect(bridge.look().said?.state).toBe("Reread");
  });

  it("tells a later change from the one before, and waits for everybody again", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings = { a: changed(T0 + 1_000), b: changed(T0 + 2_000) };
    bridge.look();
    bridge.nowMs += ONE_CHANGE_MS;
    bridge.readings.b = changed(bridge.nowMs, 2);
    const next = bridge.look();
    expect(next.said).toMatchObject({ state: "Rereading", read: 1, waiting: ["a"] });
    bridge.readings.a = changed(bridge.nowMs, 2);
    expect(actions(bridge.look())).toEqual(["Reread SecretReread"]);
  });

  it("counts a pod that was made after the change as one that has read it, also before its first sample", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings = { a: changed(T0 + 1_000), b: changed(T0 + 2_000) };
    bridge.look();
    bridge.pods.push(pod("c", { createdMs: bridge.nowMs }));
    expect(bridge.look().said).toMatchObject({ state: "Reread", pods: 3, read: 3 });
  });

  it("waits for the kubelet of a pod that started shortly before anybody read the change, as long as one may take", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings = { a: changed(T0 + 1_000), b: { ...START, sinceMs: T0 } };
    expect(bridge.look()).toMatchObject({ said: { state: "Rereading", read: 1 }, touches: [{ name: "b" }] });
    expect(bridge.look(ONE_CHANGE_MS).said).toMatchObject({ state: "Reread", read: 2 });
  });

  it("forgets nothing when the pods that told of the change are replaced, or a sample is missing", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings = { a: changed(T0 + 1_000), b: changed(T0 + 2_000) };
    bridge.look();
    bridge.pods = [pod("c", { createdMs: T0 + 4_000 }), ...bridge.pods.slice(1)];
    bridge.readings = { c: { ...START, sinceMs: T0 + 5_000 }, b: undefined };
    expect(bridge.look()).toMatchObject({ said: { state: "Reread", read: 2, pods: 2 }, decisions: [] });
    bridge.isAway = true;
    expect(bridge.look().said?.state).toBe("Reread");
  });

  it("says which pods cannot use what it holds, and when they can", () => {
    const bridge = new Bridge("a", "b");
    bridge.readings.a = { ...START, refused: true };
    const refused = bridge.look();
    expect(refused.said).toMatchObject({ state: "Refused" });
    expect(refused.said?.message).toContain("1 of 2 pods cannot use");
    expect(actions(refused)).toEqual(["NotReread SecretRefused"]);
    expect(bridge.look().decisions).toEqual([]);
    bridge.readings = { a: changed(bridge.nowMs), b: changed(bridge.nowMs + 500) };
    expect(actions(bridge.look())).toEqual(["Reread SecretReread"]);
  });

  it("does not ask pods of a revision that mounts another Secret, nor pods that leave", () => {
    const bridge = new Bridge("a");
    bridge.pods.push(pod("x", { revision: "r2" }), pod("y", { terminating: true }));
    bridge.readings.a = changed(T0 + 1_000);
    expect(bridge.look().said).toMatchObject({ state: "Reread", pods: 1, read: 1 });
  });
});

describe("a copy that a revision keeps", () => {
  const COPY = "chat-r1-secret-0-x";

  it("is told of by the name of the Secret that it was made from, where pods cannot use it", () => {
    const secrets = { [COPY]: { ...START, refused: true } };
    const snapshot = {
      ...{ nowMs: T0, pods: [pod("a")], status: llmBridgeStatus.parse({}) },
      fleet: { kind: "ok", value: [{ pod: "a", revision: "r1", stale: false, secrets }] },
    } as unknown as Snapshot;
    const found = lookAtSecrets(snapshot, new Map([[COPY, "openai"]]));
    expect(found.statuses).toMatchObject([{ name: COPY, state: "Refused" }]);
    expect(found.decisions[0]?.message).toBe(
      `Secret "openai" held what 1 of 1 pods of a revision cannot use (they read its copy, ${COPY}). The log of the pods says why; correct the Secret, and another canary starts.`,
    );
  });
});
