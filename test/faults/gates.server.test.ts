import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { conditionOf } from "../scene/api.ts";
import { type Hook, isSignedBy, startHook } from "../servers/hook.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Gates that ask a webhook, with a real API server and a real HTTP server that behaves as such servers do. */

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

let bed: Bed;
let settings: TestSettings;
let hook: Hook;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());
beforeEach(async () => {
  hook = await startHook();
  settings = settingsFile({});
  const secretFile = join(dirname(settings.path), "key");
  writeFileSync(secretFile, KEY);
  settings.write({
    sources: [{ name: "default", url: "http://127.0.0.1:9" }],
    gateWebhooks: [
      { name: "evals", url: hook.url, secretFile },
      { name: "others", url: hook.url, allowedNamespaces: ["elsewhere"] },
    ],
  });
  return async () => {
    await hook.close();
    settings.remove();
  };
});

/** Two steps that wait for nothing but the gate of the first. */
function gated(image: string, gate: object = {}): LLMBridgeSpecInput {
  const spec = storySpec(image);
  return {
    ...spec,
    rollout: {
      ...spec.rollout,
      gates: [{ name: "quality", webhook: { receiver: "evals", timeout: "1s" }, deadline: "1m", ...gate }],
      steps: [
        { name: "half", weight: 50, analysis: "None", gates: ["quality"] },
        { name: "all", weight: 100, analysis: "None" },
      ],
    },
  };
}

/** A canary of the second image waits for its gate, or has left already. */
async function canaryOf(gate: object = {}): Promise<Stage> {
  const stage = await bed.stage({ isEmpty: true });
  await stage.start({ settingsPath: settings.path });
  const { bridge } = stage.actor();
  await bridge.apply(gated(FIRST, gate));
  await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  return stage;
}

const says =
  (verdict: object) =>
  (response: ServerResponse): void =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(verdict));

const asked = (of: Hook) =>
  of.posted.map(({ headers, body }) => ({
    id: headers["webhook-id"],
    event: JSON.parse(body) as { id: string; data: { attempt: number } & Record<string, unknown> },
  }));

const gateDecisions = async (stage: Stage) =>
  (await stage.actor().bridge.status()).decisions?.filter(({ action }) => action === "Gate") ?? [];

describe("a gate's webhook", () => {
  it("that says pass lets the canary go on; it is asked once, signed, and told all that it needs", async () => {
    hook.answer = says({ verdict: "pass", reason: "40 of 40 answers are as good." });
    const stage = await canaryOf();
    const { bridge } = stage.actor();
    const { stable } = await bridge.promoted(SECOND);
    const [post, ...more] = hook.posted;
    expect(more).toEqual([]);
    expect(post && isSignedBy(KEY, post)).toBe(true);
    const [question] = asked(hook);
    expect(question?.event).toMatchObject({
      id: question?.id,
      type: "dev.llmbridge.gate.asked",
      subject: `${stage.namespace}/chat`,
      data: {
        bridge: { namespace: stage.namespace, name: "chat" },
        gate: "quality",
        revision: stable?.revision,
        image: SECOND,
        step: { name: "half", weight: 50 },
        canaryUrl: `http://chat-canary.${stage.namespace}.svc`,
        attempt: 1,
      },
    });
    expect(await gateDecisions(stage)).toMatchObject([
      {
        reason: "GatePassed",
        message: "Gate quality of step half has passed: 40 of 40 answers are as good.",
      },
    ]);
    await stage.close();
  });

  it("that says fail has the canary withdrawn, with its reason where people look", async () => {
    hook.answer = says({ verdict: "fail", reason: "3 of 40 answers are\u001b[31m worse\n" });
    const stage = await canaryOf();
    const { bridge } = stage.actor();
    await bridge.rolledBack();
    const { rollout, decisions } = await bridge.status();
    expect(rollout?.failed).toMatchObject({
      reason: "GateFailed",
      message: "gate quality: 3 of 40 answers are [31m worse",
    });
    expect(decisions?.map(({ reason }) => reason)).toContain("GateFailed");
    expect(rollout?.gates).toBeUndefined();
    expect(hook.posted).toHaveLength(1);
    await stage.close();
  });

  it("is asked again, under the same id, until what it says is a verdict", async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => void response.writeHead(503).end(),
      // Garbage, too much, somewhere else, and nothing at all.
      (response) => void response.writeHead(200).end("<html>Welcome</html>"),
      (response) =>
        void response.writeHead(200).end(JSON.stringify({ verdict: "pass", pad: "x".repeat(70_000) })),
      (response) => void response.writeHead(302, { location: "/other" }).end(),
      () => undefined,
      says({ verdict: "wait", reason: "12 of 40 answers so far", retryAfter: 1 }),
    ];
    hook.answer = (response) => (answers.shift() ?? says({ verdict: "pass" }))(response);
    const stage = await canaryOf({ deadline: "10m" });
    await stage.actor().bridge.promoted(SECOND, 120_000);
    const questions = asked(hook);
    expect(questions.map(({ event }) => event.data.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(1);
    expect(await gateDecisions(stage)).toHaveLength(1);
    await stage.close();
  });

  it("that only fails to answer is no verdict: it holds for a person, and says why", async () => {
    hook.answer = (response) => void response.writeHead(500).end();
    const stage = await canaryOf({ deadline: "5s" });
    const { bridge, command } = stage.actor();
    const { rollout } = await bridge.waitFor(
      "without a verdict",
      (one) => one.rollout?.heldFor === "GateNoData",
    );
    expect(rollout?.gates).toMatchObject([
      { name: "quality", state: "NoData", message: "No verdict within 5s: HTTP status 500." },
    ]);
    expect(rollout?.failed).toBeUndefined();
    await command({ action: "promote", revision: rollout?.canaryRevision ?? "", step: "half" });
    await bridge.promoted(SECOND);
    // One may still have been on its way when the time was over; none was sent later.
    const untilS = Date.parse(String(asked(hook)[0]?.event.data.until)) / 1_000;
    expect(hook.posted.filter(({ headers }) => Number(headers["webhook-timestamp"]) > untilS)).toEqual([]);
    await stage.close();
  });

  it("keeps a reason to wait in the status", async () => {
    hook.answer = says({ verdict: "wait", reason: "12 of 40 answers so far", retryAfter: "10s" });
    const stage = await canaryOf();
    const { rollout } = await stage
      .actor()
      .bridge.waitFor("told why it waits", (one) => one.rollout?.gates?.[0]?.message !== undefined);
    expect(rollout).toMatchObject({
      heldFor: "GatePending",
      gates: [{ name: "quality", state: "Asked", message: "12 of 40 answers so far" }],
    });
    await stage.close();
  });

  it("is asked the same question by the operator that follows one that was killed", async () => {
    hook.answer = () => undefined;
    const stage = await canaryOf({ webhook: { receiver: "evals", timeout: "60s" } });
    await expect.poll(() => hook.posted.length).toBe(1);
    await stage.kill();
    hook.answer = says({ verdict: "pass", reason: "as good" });
    await stage.start({ settingsPath: settings.path });
    await stage.actor().bridge.promoted(SECOND);
    const [before, after, ...more] = asked(hook);
    expect(more).toEqual([]);
    expect(after?.id).toBe(before?.id);
    expect(await gateDecisions(stage)).toHaveLength(1);
    await stage.close();
  });

  it.each(["abort", "another revision"])("is given up in the middle of a try by %s", async (what) => {
    let open = 0;
    hook.answer = (response) => {
      open += 1;
      response.on("close", () => {
        open -= 1;
      });
    };
    const stage = await canaryOf({ webhook: { receiver: "evals", timeout: "60s" } });
    const { bridge, command } = stage.actor();
    await expect.poll(() => open).toBe(1);
    const first = asked(hook)[0];
    if (what === "abort") {
      await command({ action: "abort", revision: String(first?.event.data.revision) });
      await bridge.rolledBack();
      await expect.poll(() => open).toBe(0);
      expect(hook.posted).toHaveLength(1);
    } else {
      await bridge.patch({ image: bridgeImage(3) });
      await expect.poll(() => hook.posted.length).toBe(2);
      await expect.poll(() => open).toBe(1);
      expect(asked(hook)[1]?.id).not.toBe(first?.id);
    }
    await stage.close();
  });

  it.each([
    ["nobody", '"nobody" is not in the operator\'s settings'],
    ["others", '"others" is not open to this namespace'],
  ])("named %s is refused with what to do", async (receiver, message) => {
    const stage = await bed.stage({ isEmpty: true });
    await stage.start({ settingsPath: settings.path });
    const { bridge } = stage.actor();
    await bridge.apply(gated(FIRST, { webhook: { receiver } }));
    const status = await bridge.waitFor("refused", (one) => conditionOf(one, "Accepted")?.status === "False");
    expect(conditionOf(status, "Accepted")?.message).toContain(
      `spec.rollout.gates[0].webhook.receiver: ${message}`,
    );
    await stage.close();
  });
});
