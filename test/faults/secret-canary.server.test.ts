import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { ANNOTATIONS } from "../../operator/bridges/names.ts";
import { FINGERPRINT_KEY } from "../../operator/bridges/observe/fingerprints.ts";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import type { KubeObject, OwnerReference } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import {
  BRIDGE_PERMISSIONS,
  CANARY_SECRET_PERMISSIONS,
  FINGERPRINT_KEY_PERMISSIONS,
  ruleOf,
  SECRET_COPY_PERMISSIONS,
} from "../../operator/permissions.ts";
import { conditionOf } from "../scene/api.ts";
import { account } from "./account.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { delayed, reset } from "./strike.ts";

/** Secrets of people, edited in place under a bridge that wants canaries for it, with the operator as its image runs it. */

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

type Secret = KubeObject & {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] };
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const [upstream] = storySpec(bridgeImage(1)).upstreams;
const spec: LLMBridgeSpecInput = {
  ...storySpec(bridgeImage(1)),
  upstreams: [
    {
      ...(upstream as NonNullable<typeof upstream>),
      secretRef: { name: "openai", key: "token", onChange: "Canary" },
    },
  ],
};

const make = ({ namespace }: Stage, token: string) =>
  bed.plane.client.create(resources.secrets, {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { namespace, name: "openai" } },
    data: { token: base64(token), other: base64("never read") },
  } as never);
const edit = ({ namespace }: Stage, token: string) =>
  bed.plane.client.mergePatch(resources.secrets, namespace, "openai", { data: { token: base64(token) } });
const touch = ({ namespace }: Stage) =>
  bed.plane.client.mergePatch(resources.secrets, namespace, "openai", {
    metadata: { annotations: { "example.com/seen": String(Date.now()) } },
  });

/** Copies that there are, by the revision that they belong to. */
async function copies(stage: Stage): Promise<Record<string, Secret[]>> {
  const all = await stage.list<Secret>(resources.secrets);
  const found: Record<string, Secret[]> = {};
  for (const secret of all) {
    const revision = secret.metadata.labels?.["llmbridge.dev/revision"];
    if (revision !== undefined) found[revision] = [...(found[revision] ?? []), secret];
  }
  return found;
}
const kept = async (stage: Stage, revision: string): Promise<string[]> =>
  ((await copies(stage))[revision] ?? []).map(({ data }) =>
    Buffer.from(data?.token ?? "", "base64").toString(),
  );

const holding = (stage: Stage) => stage.actor().bridge.waitFor("holding", ({ phase }) => phase === "Holding");

async function serving(token = "first", more: Partial<LLMBridgeSpecInput> = {}) {
  const stage = await bed.stage();
  await make(stage, token);
  const { bridge } = stage.actor();
  await bridge.apply({ ...spec, ...more });
  await bridge.promoted(bridgeImage(1));
  return { stage, revision: (await bridge.status()).stable?.revision ?? "" };
}

const ofSecrets = (requests: readonly ProxiedRequest[]) =>
  requests.filter(({ resource }) => resource === "secrets").map(({ verb, name }) => `${verb} ${name}`.trim());

describe("a Secret whose changes are to start a canary", () => {
  it("is kept by each revision as it was, is promoted as any change, and its copy goes with its revision", async () => {
    const { stage, revision } = await serving("first", {
      rollout: { ...spec.rollout, revisionHistoryLimit: 0 } as NonNullable<LLMBridgeSpecInput["rollout"]>,
    });
    const { bridge, command } = stage.actor();
    const [copy] = (await copies(stage))[revision] ?? [];
    expect(copy).toMatchObject({ immutable: true, data: { token: base64("first") } });
    expect(copy?.data).not.toHaveProperty("other");
    expect(copy?.metadata.annotations?.[ANNOTATIONS.keptFrom]).toBe("openai");
    expect(copy?.metadata.ownerReferences).toHaveLength(2);
    await edit(stage, "second");
    const canary = (await holding(stage)).canary?.revision ?? "";
    expect(canary).not.toBe(revision);
    expect(await kept(stage, revision)).toEqual(["first"]);
    expect(await kept(stage, canary)).toEqual(["second"]);
    const [deployment] = (await stage.list(resources.deployments)).filter(
      ({ metadata }) => metadata.name === `chat-${canary}`,
    );
    const [canarys] = (await copies(stage))[canary] ?? [];
    expect(JSON.stringify(deployment)).toContain(`"secretName":"${canarys?.metadata.name}"`);
    await command({ action: "promote", revision: canary, full: true });
    await bridge.waitFor(
      "promoted",
      ({ phase, stable }) => phase === "Stable" && stable?.revision === canary,
    );
    await expect.poll(() => kept(stage, revision), { timeout: 60_000 }).toEqual([]);
    expect(await kept(stage, canary)).toEqual(["second"]);
    // It asks for this one name, makes copies and its key, and nothing else.
    expect([...new Set(ofSecrets(stage.proxy.requests))].sort()).toEqual([
      "create",
      `get ${FINGERPRINT_KEY}`,
      "get openai",
      "watch",
    ]);
    const watches = stage.proxy.requests.filter(
      ({ resource, verb }) => resource === "secrets" && verb === "watch",
    );
    expect(watches.map(({ query }) => query.get("fieldSelector"))).toEqual(["metadata.name=openai"]);
    await stage.close();
  });

  it("goes back with a rollback, can be retried, and is at rest again where its content is put back", async () => {
    const { stage, revision } = await serving();
    const { bridge, command } = stage.actor();
    await edit(stage, "bad");
    const bad = (await holding(stage)).canary?.revision ?? "";
    await command({ action: "abort", revision: bad });
    await bridge.rolledBack();
    expect((await bridge.status()).stable?.revision).toBe(revision);
    await command({ action: "retry", revision: bad });
    expect((await holding(stage)).canary?.revision).toBe(bad);
    // One copy, however often it is tried.
    expect(await kept(stage, bad)).toEqual(["bad"]);
    await edit(stage, "first");
    await bridge.waitFor(
      "at rest",
      ({ phase, stable, canary }) => phase === "Stable" && stable?.revision === revision && !canary,
    );
    await stage.close();
  });

  it("is put back by undo, with what the version before keeps of it", async () => {
    const { stage, revision } = await serving();
    const { bridge, command } = stage.actor();
    await edit(stage, "second");
    const next = (await holding(stage)).canary?.revision ?? "";
    await command({ action: "promote", revision: next, full: true });
    await bridge.waitFor("promoted", ({ phase, stable }) => phase === "Stable" && stable?.revision === next);
    const terminal = testTerminal();
    const kubeconfig = bed.plane.server.kubeconfigPath;
    const code = await run(["undo", "chat", "-n", stage.namespace, "--kubeconfig", kubeconfig], {}, terminal);
    expect(terminal.err).toBe("");
    expect(code).toBe(0);
    expect(terminal.out).toContain(`the spec asks for revision ${revision} again`);
    expect(terminal.out).toContain('Secret "openai" holds again what that revision keeps.');
    // No generation tells of it, and yet what follows is that and not what was stable before.
    const followed = testTerminal();
    const follow = ["status", "chat", "--timeout", "1m", "-n", stage.namespace, "--kubeconfig", kubeconfig];
    expect(await run([...follow, "-o", "json"], {}, followed)).toBe(0);
    expect(JSON.parse(followed.out)).toMatchObject({ outcome: "Stable", revision });
    const secret = await bed.plane.client.get<Secret>(resources.secrets, stage.namespace, "openai");
    expect(secret.data).toEqual({ token: base64("first"), other: base64("never read") });
    const compared = testTerminal();
    await run(
      ["diff", "chat", revision, next, "-n", stage.namespace, "--kubeconfig", kubeconfig],
      {},
      compared,
    );
    // Nothing but that it holds something else, and not what.
    const changed = compared.out.split("\n").filter((line) => /^[+-][^+-]/.test(line));
    expect(changed).toHaveLength(2);
    for (const line of changed) expect(line).toMatch(/^[+-]Secret "openai": [0-9a-f]{32}$/);
    await stage.close();
  });

  it("costs no canary where nothing that is read changes, and none where the operator was away meanwhile", async () => {
    const { stage, revision } = await serving();
    const { bridge } = stage.actor();
    const from = stage.writes().length;
    await touch(stage);
    await bed.plane.client.mergePatch(resources.secrets, stage.namespace, "openai", {
      data: { other: base64("changed") },
    });
    expect(await stage.end()).toBe(0);
    await touch(stage);
    await stage.start();
    await bridge.patch({ replicas: 3 });
    await bridge.waitFor("looked at", ({ stable }) => stable?.ready === 3);
    expect((await bridge.status()).rollout).toMatchObject({ phase: "Stable", stableRevision: revision });
    expect(
      stage
        .writes()
        .slice(from)
        .map(({ resource }) => resource),
    ).not.toContain("secrets");
    // What was changed while it was away is a change.
    expect(await stage.end()).toBe(0);
    await edit(stage, "second");
    await stage.start();
    const { canary } = await holding(stage);
    expect(await kept(stage, canary?.revision ?? "")).toEqual(["second"]);
    await stage.close();
  });

  it("that is deleted takes nothing from what runs, and is found when it is back", async () => {
    const { stage, revision } = await serving();
    const { bridge } = stage.actor();
    await edit(stage, "second");
    const canary = (await holding(stage)).canary?.revision ?? "";
    await bed.plane.client.delete(resources.secrets, stage.namespace, "openai");
    const refused = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "SecretMissing",
    );
    expect(conditionOf(refused, "Accepted")?.message).toContain('there is no Secret "openai"');
    expect(refused).toMatchObject({ stable: { revision, ready: 2 }, canary: { revision: canary } });
    expect(await kept(stage, revision)).toEqual(["first"]);
    expect(await kept(stage, canary)).toEqual(["second"]);
    await make(stage, "second");
    const again = await bridge.waitFor(
      "accepted",
      (status) => conditionOf(status, "Accepted")?.status === "True",
    );
    expect(again.canary?.revision).toBe(canary);
    await stage.close();
  });

  it.each([
    { how: "before its copy was made", strike: reset() },
    { how: "after its copy was made", strike: reset(true) },
  ])("is copied once by an operator that was killed $how", async ({ strike }) => {
    const { stage, revision } = await serving();
    const isTheOne = ({ resource, verb }: ProxiedRequest) => resource === "secrets" && verb === "create";
    const killed = new Promise<void>((resolve) =>
      stage.proxy.when(isTheOne, strike, { times: 1, onStruck: () => resolve(stage.kill()) }),
    );
    await edit(stage, "second");
    await killed;
    await stage.start();
    const canary = (await holding(stage)).canary?.revision ?? "";
    expect(await kept(stage, canary)).toEqual(["second"]);
    expect(await kept(stage, revision)).toEqual(["first"]);
    expect(Object.keys(await copies(stage)).sort()).toEqual([canary, revision].sort());
    await stage.close();
  });

  it("that changes while it is copied is never taken for what was decided on", async () => {
    const { stage } = await serving();
    const isTheOne = ({ resource, verb }: ProxiedRequest) => resource === "secrets" && verb === "create";
    stage.proxy.when(isTheOne, delayed(1_000), { times: 1 });
    await edit(stage, "second");
    await expect.poll(() => stage.proxy.requests.filter(isTheOne).length).toBeGreaterThan(2);
    await edit(stage, "third");
    await stage
      .actor()
      .bridge.waitFor(
        "holding the newest",
        ({ phase, decisions }) => phase === "Holding" && decisions.length > 0,
      );
    await expect
      .poll(async () => kept(stage, (await stage.actor().bridge.status()).canary?.revision ?? ""), {
        timeout: 60_000,
      })
      .toEqual(["third"]);
    await stage.close();
  });
});

describe("an operator with rights on named Secrets alone", () => {
  const named = (name: string) =>
    CANARY_SECRET_PERMISSIONS.map((permission) => ruleOf({ ...permission, name }));
  const base = BRIDGE_PERMISSIONS.map(ruleOf);
  const copying = [...SECRET_COPY_PERMISSIONS, ...FINGERPRINT_KEY_PERMISSIONS].map(ruleOf);
  const setRules = ({ namespace }: Stage, rules: readonly object[]) =>
    bed.plane.api.request(
      "PATCH",
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/operator`,
      { rules },
      "application/merge-patch+json",
    );

  it("says what it lacks without asking in a hurry, goes on when it has it, and leaves all as it is when it is taken away", async () => {
    const stage = await bed.stage({ isEmpty: true });
    await make(stage, "first");
    const kubeconfigPath = await account(bed.plane, stage.namespace, "operator", [...base, ...copying]);
    const first = await stage.startBehind(kubeconfigPath);
    const { bridge, command } = stage.actor();
    await bridge.apply(spec);
    const refused = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "SecretForbidden",
    );
    expect(conditionOf(refused, "Accepted")?.message).toBe(
      'spec.upstreams[0].secretRef: the operator may not get and watch Secret "openai"; the administrator allows it with the chart\'s value canarySecrets: [openai], or set onChange: Ignore.',
    );
    expect(await stage.list(resources.deployments)).toEqual([]);
    // One of another name is of no use.
    await setRules(stage, [...base, ...copying, ...named("redis")]);
    await setRules(stage, [...base, ...copying, ...named("openai")]);
    await bridge.promoted(bridgeImage(1));
    const { stable } = await bridge.status();
    await edit(stage, "second");
    const canary = (await holding(stage)).canary?.revision ?? "";
    await command({ action: "promote", revision: canary, full: true });
    await bridge.waitFor(
      "promoted",
      ({ phase, stable: now }) => phase === "Stable" && now?.revision === canary,
    );
    expect(await kept(stage, stable?.revision ?? "")).toEqual(["first"]);
    // Without the right nothing is changed, also by an operator that starts without it.
    await setRules(stage, [...base, ...copying]);
    await first.process.stop();
    const next = await stage.startBehind(kubeconfigPath);
    const without = await bridge.waitFor(
      "refused again",
      (status) => conditionOf(status, "Accepted")?.reason === "SecretForbidden",
    );
    expect(without).toMatchObject({ stable: { revision: canary, ready: 2 } });
    await bridge.patch({ pod: { labels: { a: "b" } } });
    await setRules(stage, [...base, ...copying, ...named("openai")]);
    expect((await holding(stage)).stable?.revision).toBe(canary);
    await next.process.stop();
    await stage.close();
  });

  it("asks for a Secret that it may not read a few times a minute at most", async () => {
    const stage = await bed.stage({ isEmpty: true });
    await make(stage, "first");
    const kubeconfigPath = await account(bed.plane, stage.namespace, "operator", [...base, ...copying]);
    const { proxy, process } = await stage.startBehind(kubeconfigPath);
    const { bridge } = stage.actor();
    await bridge.apply(spec);
    await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "SecretForbidden",
    );
    const asked = () => proxy.requests.filter(({ resource, code }) => resource === "secrets" && code === 403);
    await expect.poll(() => asked().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
    const times = asked().map(({ atMs }) => atMs);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    // Each wait is twice the one before, but for a share that is left to chance.
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(500 * 2 ** index);
    await process.stop();
    await stage.close();
  });
});
