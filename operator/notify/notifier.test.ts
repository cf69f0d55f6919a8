import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Hook, isSignedBy, startHook } from "../../test/servers/hook.ts";
import { type Log, silentLog } from "../kube/log.ts";
import { cloudEvent } from "./cloud-event.ts";
import { decisionEvent } from "./decision-event.ts";
import { createNotifyMetrics } from "./metrics.ts";
import { createNotifier, type NotificationSettings, type Notifier } from "./notifier.ts";
import { BRIDGE, decision, status } from "./testing/events.ts";

const KEY = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const cleanups: (() => Promise<unknown>)[] = [];
const logged: string[] = [];
const log: Log = {
  ...silentLog,
  warn: (fields, message) => void logged.push(JSON.stringify({ fields, message })),
  info: (fields, message) => void logged.push(JSON.stringify({ fields, message })),
  child: () => log,
};
let folder = "";
let hook: Hook;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-notify-"));
  hook = await open(startHook());
  logged.length = 0;
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(folder, { recursive: true });
});

async function open<T extends { close(): Promise<unknown> }>(opening: T | Promise<T>): Promise<T> {
  const opened = await opening;
  cleanups.push(() => opened.close());
  return opened;
}

async function notifier(...receivers: Partial<NotificationSettings>[]): Promise<Notifier> {
  // Pauses between tries are as short as they can be: what is tested is not how long they are.
  const created = await open(createNotifier({ log, metrics: createNotifyMetrics(), random: () => 0 }));
  created.configure(receivers.map((one, index) => settings({ name: `hook-${index}`, ...one })));
  return created;
}
const settings = (more: Partial<NotificationSettings>): NotificationSettings => ({
  ...{ name: "hook", format: "CloudEvents", timeoutMs: 60_000 },
  ...(more.urlFile === undefined ? { url: hook.url } : {}),
  ...more,
});
const at = (second: number, more = {}) => decision({ time: `2026-01-02T03:04:0${second}.000Z`, ...more });
const bodies = (of = hook) => of.posted.map(({ body }) => body);

describe("a receiver of CloudEvents", () => {
  it("is told of each decision once, signed, under an id that does not change when it is tried again", async () => {
    const secretFile = join(folder, "key");
    await writeFile(secretFile, KEY);
    const told = await notifier({ secretFile });
    const answers = [503, 429, 204];
    hook.answer = (response) => void response.writeHead(answers.shift() ?? 204, { "retry-after": "0" }).end();
    told.tell(BRIDGE, [at(1), at(2)], status());
    await expect.poll(() => hook.taken).toHaveLength(2);
    const [first, second] = [at(1), at(2)].map((one) => decisionEvent(BRIDGE, one, status()));
    expect(hook.posted.map(({ headers }) => headers["webhook-id"])).toEqual([
      ...[first?.id, first?.id, first?.id, second?.id],
    ]);
    expect(bodies()[0]).toBe(first && cloudEvent(first));
    for (const post of hook.posted) {
      expect(post.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
      expect(isSignedBy(KEY, post)).toBe(true);
      expect(isSignedBy(`whsec_${Buffer.alloc(32, 8).toString("base64")}`, post)).toBe(false);
    }
    expect(told.settledThroughMs(BRIDGE.uid)).toBe(Date.parse(at(2).time));
  });

  it("is told of the namespaces, actions and reasons that it asks for", async () => {
    const told = await notifier(
      { namespaces: ["other"] },
      { actions: ["Promote", "Rollback"], reasons: ["ErrorsProvedWorse"] },
    );
    told.tell(BRIDGE, [at(1, { action: "Step" }), at(2), at(3, { reason: "Command" })], status());
    told.tell({ ...BRIDGE, namespace: "other" }, [at(4, { action: "Hold" })], status());
    await told.flush(60_000);
    expect(hook.taken.map(({ subject, type }) => [subject, type]).sort()).toEqual([
      ["ai/chat", "dev.llmbridge.decision.rollback"],
      ["other/chat", "dev.llmbridge.decision.hold"],
    ]);
  });

  it("is not sent elsewhere by a redirect, and not asked again after a refusal", async () => {
    const told = await notifier({});
    hook.answer = (response) => void response.writeHead(307, { location: hook.url }).end();
    told.tell(BRIDGE, [at(1)], status());
    await told.flush(60_000);
    expect(hook.posted).toHaveLength(1);
    expect(logged.join()).toContain("HTTP status 307");
  });
});

describe("a receiver of Slack's messages", () => {
  it("is reached by the URL in a file, which stands in no log", async () => {
    const urlFile = join(folder, "url");
    await writeFile(urlFile, "http://169.254.169.254/secret-path");
    const told = await notifier({ format: "Slack", urlFile });
    told.tell(BRIDGE, [at(1)], status());
    await expect.poll(() => logged.join()).toContain("must not point to 169.254.169.254");
    await writeFile(urlFile, `${hook.url}\n`);
    await expect.poll(() => hook.taken).toHaveLength(1);
    expect(hook.taken[0]).toMatchObject({ text: "ai/chat: Rollback (ErrorsProvedWorse)" });
    expect(logged.join()).not.toMatch(/secret-path|team=ai/);
  });
});

describe("a receiver that hangs", () => {
  it("keeps neither the caller nor another receiver waiting, and is left behind at the end", async () => {
    const hanging = await open(startHook());
    hanging.answer = () => undefined;
    const told = await notifier({ url: hanging.url }, {});
    told.tell(BRIDGE, [at(1), at(2), at(3)], status());
    await expect.poll(() => hook.taken).toHaveLength(3);
    expect(hanging.posted).toHaveLength(1);
    // Nothing of it is settled before the one that hangs has been told.
    expect(told.settledThroughMs(BRIDGE.uid)).toBe(Date.parse(at(1).time) - 1);
    await told.flush(1);
    await told.close();
  });

  it("is given up on by its own time", async () => {
    const told = await notifier({ timeoutMs: 50 });
    hook.answer = () => undefined;
    told.tell(BRIDGE, [at(1)], status());
    await expect.poll(() => logged.join()).toContain("no answer within 0.05 s");
    hook.answer = (response) => void response.writeHead(200).end("ok");
    await expect.poll(() => hook.taken).toHaveLength(1);
  });
});

describe("after a restart", () => {
  const stored = (notifiedThrough?: string) =>
    status({ decisions: [at(3), at(2), at(1)], ...(notifiedThrough ? { notifiedThrough } : {}) });

  it("tells what the status does not say that it was told, in order and under the same ids", async () => {
    const told = await notifier({});
    told.resume(BRIDGE, stored("2026-01-02T03:04:01.000Z"));
    await told.flush(60_000);
    expect(hook.taken.map(({ id }) => id)).toEqual(
      [at(2), at(3)].map((one) => decisionEvent(BRIDGE, one, status()).id),
    );
    expect(told.settledThroughMs(BRIDGE.uid)).toBe(Date.parse(at(3).time));
  });

  it("tells nothing of what was decided before there were receivers", async () => {
    const told = await notifier({});
    told.resume(BRIDGE, stored());
    await told.flush(60_000);
    expect(hook.posted).toEqual([]);
  });
});

describe("other settings", () => {
  it("take what waits along to the receiver of the same name, and forget it for one that is gone", async () => {
    const hanging = await open(startHook());
    hanging.answer = () => undefined;
    const told = await notifier({ url: hanging.url }, { url: hanging.url });
    told.tell(BRIDGE, [at(1), at(2)], status());
    await expect.poll(() => hanging.posted).toHaveLength(2);
    told.configure([settings({ name: "hook-0" })]);
    await expect.poll(() => hook.taken).toHaveLength(2);
    await expect.poll(() => told.settledThroughMs(BRIDGE.uid)).toBe(Date.parse(at(2).time));
    told.configure([]);
    expect(told.settledThroughMs(BRIDGE.uid)).toBeUndefined();
    told.tell(BRIDGE, [at(3)], status());
    expect(hook.taken).toHaveLength(2);
  });
});
