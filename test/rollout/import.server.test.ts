import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { makeOld, type OldOptions } from "./old-deployment.ts";

/** `kubectl llmbridge import` against a real API server, and what the operator then says of what it wrote. */

const ENV = [
  { name: "OPENAI_BASE_URL", value: "http://model.ai/v1" },
  { name: "NODE_OPTIONS", value: "--max-old-space-size=450" },
];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

async function opened(old: OldOptions = {}): Promise<Stage> {
  const stage = await bed.stage();
  await makeOld(bed.plane, stage.namespace, "web", { env: ENV, ...old });
  return stage;
}

async function imported(stage: Stage, ...words: string[]) {
  const terminal = testTerminal();
  const place = ["-n", stage.namespace, "--kubeconfig", bed.plane.server.kubeconfigPath];
  const code = await run(["import", ...words, ...place], {}, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

const post = (stage: Stage, path: string, body: object) =>
  bed.plane.api.request("POST", path.replace("NS", stage.namespace), body);

describe("kubectl llmbridge import", () => {
  it("prints a bridge that the API server takes as it is, says what it left out, and writes nothing", async () => {
    const stage = await opened();
    const { code, out, err } = await imported(stage, "deployment/web");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^# Made from Deployment "web" in namespace stage-/);
    expect(out.replaceAll(/\n#\s*/g, " ")).toContain("write spec.tuning.nodeOptions.maxOldSpaceMiB: 450");
    const manifest = parse(out) as { metadata: object; spec: object };
    expect(manifest).toMatchObject({
      kind: "LLMBridge",
      metadata: { name: "web", namespace: stage.namespace },
      spec: { replicas: 2, takeOver: { deployment: "web", services: ["web"] } },
    });
    expect(await stage.actor("web").bridge.get()).toBeUndefined();
    const again = await imported(stage, "deploy/web", "-o", "json");
    expect(JSON.parse(again.out)).toEqual(manifest);
    expect(again.err).toContain("warning: env NODE_OPTIONS: NODE_OPTIONS cannot be set here");
    await stage.close();
  });

  it("makes the bridge with --apply, and its Service stands for the bridge's own of that name", async () => {
    const stage = await opened();
    const done = await imported(stage, "deployment/web", "--apply");
    expect(done.code).toBe(0);
    expect(done.out).toContain('web: made. Deployment "web" serves as its stable version');
    const { bridge } = stage.actor("web");
    const status = await bridge.waitFor("with a canary", ({ canary }) => (canary?.ready ?? 0) > 0);
    expect(status.stable?.revision).toBe("taken-over");
    expect(status.conditions.find(({ type }) => type === "Accepted")?.status).toBe("True");
    expect(await imported(stage, "deployment/web", "--apply")).toMatchObject({ code: 1 });
    await stage.close();
  });

  it("prints the bridge as it is stored with --apply and -o", async () => {
    const stage = await opened();
    const { out, code } = await imported(stage, "deployment/web", "--apply", "-o", "json");
    expect(code).toBe(0);
    const { metadata } = (await stage.actor("web").bridge.get()) ?? {};
    expect(JSON.parse(out)).toMatchObject({
      kind: "LLMBridge",
      metadata: { name: "web", uid: metadata?.uid },
      spec: { takeOver: { deployment: "web" } },
    });
    await stage.close();
  });

  it("names the bridge otherwise where its children's names are taken", async () => {
    const stage = await opened();
    await post(stage, "/api/v1/namespaces/NS/serviceaccounts", { metadata: { name: "web" } });
    const { out } = await imported(stage, "deployment/web");
    expect(parse(out)).toMatchObject({ metadata: { name: "web-bridge" } });
    expect(out).toContain('ServiceAccount "web"');
    expect(parse((await imported(stage, "deployment/web", "--name", "chat")).out)).toMatchObject({
      metadata: { name: "chat" },
    });
    await stage.close();
  });

  it("takes over all Services of its pods, and says what is missing and what the operator would refuse", async () => {
    const stage = await opened({ env: [] });
    const bare = await imported(stage, "deployment/web");
    expect(bare.code).toBe(1);
    expect(bare.err).toContain("error: spec.upstreams");
    expect(bare.out).toContain('{name: model, protocol: OpenAI, url: "https://host/v1"');
    expect((await imported(stage, "deployment/nothing")).err).toContain("there is no Deployment nothing");
    expect(await imported(stage, "statefulset/web")).toMatchObject({ code: 2 });
    expect((await imported(stage, "web")).err).toContain("write deployment/web");
    expect((await imported(stage, "deployment/web", "--service", "x")).err).toContain(
      "there is no Service x",
    );

    await post(stage, "/api/v1/namespaces/NS/services", {
      metadata: { name: "other" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    expect((await imported(stage, "deployment/web")).out).toMatch(/services:\n\s+- other\n\s+- web\n/);
    await post(stage, "/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers", {
      metadata: { name: "web" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 2,
        maxReplicas: 6,
      },
    });
    const scaled = await imported(stage, "deployment/web", "--service=web");
    expect(parse(scaled.out)).toMatchObject({ spec: { scaling: { minReplicas: 2, maxReplicas: 6 } } });
    expect(scaled.out.replaceAll(/\n#\s*/g, " ")).toContain("kubectl delete hpa web");
    await stage.close();
  });

  it("leaves a Service alone whose port pods of a bridge do not have", async () => {
    const stage = await opened({ containerPort: 3000 });
    const { out, code } = await imported(stage, "deployment/web", "--name", "chat");
    expect(code).toBe(0);
    expect(parse(out)).toMatchObject({ spec: { takeOver: { deployment: "web" } } });
    expect(out.replaceAll(/\n#\s*/g, " ")).toContain(
      "port 80 leads to 3000, and pods of a bridge listen on 8080",
    );
    await stage.close();
  });
});
