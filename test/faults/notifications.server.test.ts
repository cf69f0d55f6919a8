import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DecisionStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Hook, isSignedBy, startHook } from "../servers/hook.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { isOwnWrite, type ProxiedRequest } from "./proxy.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, playStory, storySpec } from "./story.ts";
import { answer } from "./strike.ts";

const KEY = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;

let bed: Bed;
let settings: TestSettings;
let hook: Hook;
let hanging: Hook;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => {
  await bed?.down();
});
beforeEach(async () => {
  [hook, hanging] = await Promise.all([startHook(), startHook()]);
  hanging.answer = () => undefined;
  settings = settingsFile({});
  const secretFile = join(dirname(settings.path), "key");
  writeFileSync(secretFile, KEY);
  settings.write({
    sources: [{ name: "default", url: "http://127.0.0.1:9" }],
    notifications: [
      { name: "audit", url: hook.url, secretFile },
      { name: "away", url: hanging.url, format: "Slack" },
    ],
  });
  return async () => {
    await Promise.all([hook.close(), hanging.close()]);
    settings.remove();
  };
});

/** The decisions that the status of the stage's only bridge holds, oldest first. */
async function stored(stage: Stage): Promise<readonly DecisionStatus[]> {
  const [bridge] = await stage.list<KubeObject & { status?: { decisions?: DecisionStatus[] } }>(LLMBRIDGES);
  return (bridge?.status?.decisions ?? []).toReversed();
}
/** What a receiver took, as decisions. */
const told = (of: Hook) => of.taken.map(({ data }) => (data as { decision: DecisionStatus }).decision);

describe("receivers of notifications", () => {
  it("are told of each decision once, in order and signed, while one of them never answers", async () => {
    const stage = await bed.stage({ isEmpty: true });
    await stage.start({ settingsPath: settings.path });
    await playStory(bed.plane.client, stage.namespace);
    const decisions = await stored(stage);
    expect(decisions.map(({ action }) => action)).toEqual(expect.arrayContaining(["Promote", "Rollback"]));
    await expect.poll(() => told(hook).at(-1)).toEqual(decisions.at(-1));
    // The status keeps the last ten.
    expect(told(hook).slice(-decisions.length)).toEqual(decisions);
    const ids = hook.posted.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(told(hook).length);
    expect(hook.posted).toHaveLength(told(hook).length);
    for (const post of hook.posted) expect(isSignedBy(KEY, post)).toBe(true);
    expect(hanging.posted).toHaveLength(1);
    // It ends in its time all the same.
    expect(await stage.end()).toBe(0);
    await stage.close();
  });

  it("are told by the next operator what the one before did not get to, under the same ids", async () => {
    const stage = await bed.stage({ isEmpty: true });
    hook.answer = (response) => void response.writeHead(503).end();
    await stage.start({ settingsPath: settings.path });
    const { bridge, holding } = stage.actor();
    await bridge.apply(storySpec(bridgeImage(1)));
    await bridge.promoted(bridgeImage(1));
    await bridge.patch({ image: bridgeImage(2) });
    await holding(bridgeImage(2));
    await expect.poll(() => hook.posted.length).toBeGreaterThan(0);
    await stage.kill();
    const before = await stored(stage);
    const refused = new Set(hook.posted.map(({ headers }) => headers["webhook-id"]));

    hook.answer = (response) => void response.writeHead(200).end();
    await stage.start({ settingsPath: settings.path });
    await expect.poll(() => told(hook).length).toBeGreaterThanOrEqual(before.length);
    expect(told(hook).slice(0, before.length)).toEqual(before);
    const taken = hook.taken.map(({ id }) => id);
    expect(new Set(taken).size).toBe(taken.length);
    for (const id of refused) expect(taken).toContain(id);
    await stage.close();
  });

  it("are told so once, however often the first pass of the next operator fails", async () => {
    const stage = await bed.stage({ isEmpty: true });
    hook.answer = (response) => void response.writeHead(503).end();
    await stage.start({ settingsPath: settings.path });
    const { bridge } = stage.actor();
    await bridge.apply(storySpec(bridgeImage(1)));
    await bridge.promoted(bridgeImage(1));
    await expect.poll(() => hook.posted.length).toBeGreaterThan(0);
    await stage.kill();
    const before = await stored(stage);

    hook.answer = (response) => void response.writeHead(200).end();
    await bridge.patch({ image: bridgeImage(2) });
    const isChild = (request: ProxiedRequest) => isOwnWrite(request) && request.resource !== "llmbridges";
    const rule = stage.proxy.when(isChild, answer(500, "InternalError"));
    await stage.start({ settingsPath: settings.path });
    await expect.poll(() => rule.struck, { timeout: 30_000 }).toBeGreaterThanOrEqual(9);
    rule.remove();
    await bridge.waitFor("a canary", ({ canary }) => canary !== undefined);
    await expect.poll(() => told(hook).length).toBeGreaterThan(before.length);
    expect(told(hook).slice(0, before.length)).toEqual(before);
    const taken = hook.taken.map(({ id }) => id);
    expect(new Set(taken).size).toBe(taken.length);
    await stage.close();
  });
});
