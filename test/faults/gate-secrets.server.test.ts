import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Hook, startHook } from "../servers/hook.ts";
import type { ServerProcess } from "../servers/process.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { FAILS } from "./kubelet.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** What gates are asked with is known to the operator or to a Job, and to nobody who may only look. */

const KEY = Buffer.from("the key that signs questions").toString("base64");
const PATH_TOKEN = "T0KEN-in-the-path";
const JOB_TOKEN = "t0ken-of-the-job";
const SECRETS = [KEY, PATH_TOKEN, JOB_TOKEN, Buffer.from(JOB_TOKEN).toString("base64")];
const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

let bed: Bed;
let hook: Hook;
let settings: TestSettings;
beforeAll(async () => {
  [bed, hook] = await Promise.all([openBed(), startHook()]);
  settings = settingsFile({});
  const [secretFile, urlFile] = ["key", "url"].map((name) => join(dirname(settings.path), name)) as [
    string,
    string,
  ];
  writeFileSync(secretFile, `whsec_${KEY}`);
  writeFileSync(urlFile, hook.url.replace("/hook", `/hook/${PATH_TOKEN}`));
  settings.write({
    sources: [{ name: "default", url: "http://127.0.0.1:9" }],
    gateWebhooks: [{ name: "evals", urlFile, secretFile }],
    gateJobs: {},
  });
});
afterAll(async () => {
  await Promise.all([bed?.down(), hook?.close()]);
  settings?.remove();
});

function gated(image: string, gate: object): LLMBridgeSpecInput {
  const spec = storySpec(image);
  const steps = [
    { name: "half", weight: 50, analysis: "None" as const, gates: ["quality"] },
    { name: "all", weight: 100, analysis: "None" as const },
  ];
  return { ...spec, rollout: { ...spec.rollout, gates: [{ name: "quality", ...gate }], steps } };
}

/** A canary that is withdrawn by its gate, seen from all sides. */
async function seen(gate: object): Promise<{ readonly text: string; readonly stage: Stage }> {
  const stage = await bed.stage({ isEmpty: true });
  const operator: ServerProcess = await stage.start({ settingsPath: settings.path });
  await bed.plane.client.create(resources.secrets, {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { namespace: stage.namespace, name: "evals" } },
    data: { token: Buffer.from(JOB_TOKEN).toString("base64") },
  } as never);
  const { bridge } = stage.actor();
  await bridge.apply(gated(FIRST, gate));
  await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  await bridge.rolledBack();
  const told = async () =>
    (await stage.list<KubeObject & { reason?: string }>(resources.events)).map(({ reason }) => reason);
  await expect.poll(told, { timeout: 20_000 }).toContain("GateFailed");
  const parts = await Promise.all([
    bridge.get(),
    stage.list(resources.events),
    stage.list(resources.jobs),
    stage.list(resources.configMaps),
    stage.list(resources.deployments),
  ]);
  return { stage, text: `${JSON.stringify(parts)}\n${operator.lastLines.join("\n")}` };
}

const expectNoneOf = (text: string): void => {
  for (const secret of SECRETS) expect(text).not.toContain(secret);
};

describe("secrets of a gate", () => {
  it("of a webhook are in no status, Event, child or log line, whatever it answers", async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => void response.writeHead(503).end("no"),
      (response) => void response.writeHead(302, { location: `http://127.0.0.1:9/${PATH_TOKEN}` }).end(),
      (response) => void response.socket?.destroy(),
      () => undefined,
    ];
    const fails = { verdict: "fail", reason: "3 of 40 answers are worse" };
    hook.answer = (response) => {
      const next = answers.shift();
      if (next) next(response);
      else response.writeHead(200).end(JSON.stringify(fails));
    };
    const { text, stage } = await seen({ webhook: { receiver: "evals", timeout: "1s" }, deadline: "2m" });
    expect(answers).toEqual([]);
    expect(text).toContain("3 of 40 answers are worse");
    expect(hook.posted[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
    expectNoneOf(text);
    await stage.close();
  });

  it("of a Job are in no status, Event, child or log line: it names the Secret, and kubelet reads it", async () => {
    const env = [{ name: "KEY", secretRef: { name: "evals", key: "token" } }];
    const { text, stage } = await seen({ job: { image: `registry.example/smoke:${FAILS}`, env } });
    expect(text).toContain('"secretKeyRef":{"name":"evals","key":"token"');
    expectNoneOf(text);
    await stage.close();
  });
});
