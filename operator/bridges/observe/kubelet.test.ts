import { describe, expect, it } from "vitest";
import type { KubeClient } from "../../kube/client.ts";
import { kubeletReasons } from "./kubelet.ts";
import type { ObservedPod } from "./pod.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const pod: ObservedPod = {
  name: "chat-b-0",
  uid: "u-1",
  revision: "b",
  createdMs: NOW - 40_000,
  ready: false,
  terminating: false,
  finished: false,
  restarts: 0,
  waiting: { reason: "ContainerCreating", message: "" },
  deletionCost: 0,
  touchedGeneration: 0,
};

type Said = readonly [reason: string, message: string];
const mount = (cause: string): Said => [
  "FailedMount",
  `MountVolume.SetUp failed for volume "config" : ${cause}`,
];

/** A client that lists these Events, oldest first, in another order. */
const clientOf = (...said: Said[]): Pick<KubeClient, "list"> => {
  const events = said.map(([reason, message], second) => ({
    ...{ reason, message },
    lastTimestamp: `2026-01-01T00:00:0${second}Z`,
  }));
  return { list: async <T>() => events.reverse() as unknown as T[] };
};
const ask = async (...said: Said[]) =>
  (await kubeletReasons(clientOf(...said), "ai", [pod], {}, NOW))[pod.name];

describe("what kubelet says", () => {
  it.each([
    'configmap "c" not found',
    'secret "s" not found',
    "references non-existent config key: a.yaml",
    "references non-existent secret key: token",
  ])("is that something is missing: %s", async (cause) => {
    expect(await ask(mount(cause))).toEqual({ message: mount(cause)[1], isMissing: true, atMs: NOW });
  });

  it.each<Said>([
    mount("failed to sync configmap cache: timed out waiting for the condition"),
    mount('object "ai"/"s" not registered'),
    ["FailedCreatePodSandBox", 'Failed to create pod sandbox: plugin failed: secret "s" not found'],
    ["NetworkNotReady", "network is not ready: container runtime network not ready"],
  ])("is otherwise only what the pod waits for: %s: %s", async (reason, message) => {
    expect(await ask([reason, message])).toEqual({ message, isMissing: false, atMs: NOW });
  });

  it("is the last cause, not that it takes long", async () => {
    const late: Said = ["FailedMount", "Unable to attach or mount volumes: unmounted volumes=[config]"];
    const missing = mount('secret "s" not found');
    expect(await ask(missing, late)).toMatchObject({ message: missing[1], isMissing: true });
    expect(await ask(missing, ["NetworkNotReady", "no network"], late)).toMatchObject({
      message: "no network",
      isMissing: false,
    });
    expect(await ask(late)).toMatchObject({ message: late[1], isMissing: false });
  });

  it("is not what kept the pod from its node before", async () => {
    const nodes: Said = ["FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."];
    expect(await ask(nodes)).toEqual({ message: "", isMissing: false, atMs: NOW });
  });

  it("is nothing where nobody may ask, and asked again after 10 s", async () => {
    const list = async () => {
      throw new Error("forbidden");
    };
    const before = await kubeletReasons({ list }, "ai", [pod], {}, NOW);
    expect(before).toEqual({ [pod.name]: { message: "", isMissing: false, atMs: NOW } });
    const client = clientOf(mount('secret "s" not found'));
    expect(await kubeletReasons(client, "ai", [pod], before, NOW + 9_999)).toEqual(before);
    expect(await kubeletReasons(client, "ai", [pod], before, NOW + 10_000)).toMatchObject({
      [pod.name]: { isMissing: true },
    });
  });

  it("is asked with the signal of the look, so that a server that does not answer holds up no end", async () => {
    const { signal } = new AbortController();
    const asked: unknown[] = [];
    const list: KubeClient["list"] = async (_, options) => {
      asked.push(options?.signal);
      return [];
    };
    await kubeletReasons({ list }, "ai", [pod], {}, NOW, signal);
    expect(asked).toEqual([signal]);
  });
});
