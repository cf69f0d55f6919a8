import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ApiServer, apiServerUp } from "../../test/cluster/api-server.ts";
import { type BridgeApi, bridgeApi } from "../../test/conformance/bridge-api.ts";
import { smallestBridge } from "../../test/conformance/bridge-objects.ts";
import { account } from "../../test/faults/account.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { COMMAND_ANNOTATION } from "../api/v1alpha1/commands.ts";
import type { KubeObject } from "../kube/object.ts";
import { VERSION } from "../version.ts";
import { BRIDGES, type Connection, connect } from "./connection.ts";
import { follow } from "./follow.ts";
import { diffOutput, explanationOutput, historyOutput, orderOutput, versionOutput } from "./outputs.ts";
import { run } from "./run.ts";
import { testTerminal } from "./testing/terminal.ts";

let server: ApiServer;
let api: BridgeApi;
let connection: Connection;

beforeAll(async () => {
  server = await apiServerUp({ progress: createProgress({ write: () => {}, nowMs: Date.now }) });
  api = bridgeApi(server.kubeconfigPath);
  await api.installCrd();
  connection = connect({
    ...{ kubeconfig: server.kubeconfigPath, context: undefined, namespace: undefined },
    environment: {},
  });
});

afterAll(async () => {
  await connection.close();
  await api.close();
  await server.down();
});

beforeEach(async () => {
  await api.create(smallestBridge("chat"), { keep: true });
});

afterEach(async () => {
  await api.remove("chat");
});

/** Begins a command line as a person would, with pipes for streams unless a terminal is given. */
function begin(argv: readonly string[], change: Parameters<typeof testTerminal>[0] = {}) {
  const interrupted = new AbortController();
  const terminal = testTerminal({ signal: interrupted.signal, ...change });
  const ended = run([...argv, "--kubeconfig", server.kubeconfigPath], {}, terminal);
  const shows = (text: string | RegExp) => expect.poll(() => terminal.out).toMatch(text);
  return { terminal, shows, ended, interrupt: () => interrupted.abort() };
}

/** The same to its end. */
async function llmbridge(argv: readonly string[], change: Parameters<typeof testTerminal>[0] = {}) {
  const { terminal, ended } = begin(argv, change);
  return { exitCode: await ended, out: terminal.out, err: terminal.err };
}

const reading = (text: string) => ({ readStdin: async () => text });

const patchStatus = (status: object) =>
  api.request("PATCH", `${PATH}/chat/status`, { status }, "application/merge-patch+json");

const CORE = "/api/v1/namespaces/default";
const APPS = "/apis/apps/v1/namespaces/default/deployments";

/** A Deployment and a pod as the operator and a kubelet would make them; nobody here starts any. */
async function createChildren(): Promise<void> {
  const { uid } = (await read()).metadata;
  const labels = { "llmbridge.dev/bridge": "chat", "llmbridge.dev/revision": "d04be8" };
  const spec = { containers: [{ name: "bridge", image: "b:2" }] };
  const owner = {
    apiVersion: "llmbridge.dev/v1alpha1",
    kind: "LLMBridge",
    name: "chat",
    uid,
    controller: true,
  };
  const annotations = { "llmbridge.dev/image": "b:2", "llmbridge.dev/renderer": "0.1.0" };
  await api.request("POST", APPS, {
    metadata: { name: "chat-d04be8", labels, annotations, ownerReferences: [owner] },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
  await api.request("POST", `${CORE}/serviceaccounts`, { metadata: { name: "default" } });
  await api.request("POST", `${CORE}/pods`, { metadata: { name: "chat-d04be8-x", labels }, spec });
}

/** A Deployment at zero and its ConfigMap, as the operator leaves them. */
async function createRevision(revision: string, image: string): Promise<void> {
  const labels = { "llmbridge.dev/bridge": "chat", "llmbridge.dev/revision": revision };
  const template = { metadata: { labels }, spec: { containers: [{ name: "bridge", image }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  const metadata = { name: `chat-${revision}`, labels, annotations: { "llmbridge.dev/image": image } };
  await api.request("POST", APPS, { metadata, spec });
  await api.request("POST", `${CORE}/configmaps`, {
    metadata,
    data: {
      "config.json": "{}\n",
      "deployment.json": JSON.stringify({ spec: { template: { spec: template.spec } } }),
    },
  });
}

const PATH = "/apis/llmbridge.dev/v1alpha1/namespaces/default/llmbridges";

const read = () =>
  connection.client.get<KubeObject & { spec: { rollout: { paused: boolean } } }>(BRIDGES, "default", "chat");

const canary = { revision: "d04be8", image: "b:2", replicas: 1, ready: 1, desiredWeight: 10 };
const atStepTenth = {
  phase: "Holding",
  canary,
  step: { name: "tenth", index: 0, count: 3, weight: 10 },
};

/** Stands in for the operator: answers the command with this id. */
async function answerOnce(result: "Done" | "Refused", message: string, awaited = "id-1"): Promise<unknown> {
  for await (const { bridge } of follow(connection, "chat", new AbortController().signal)) {
    const text = bridge.metadata.annotations?.[COMMAND_ANNOTATION];
    if (text === undefined) continue;
    const { id, action } = JSON.parse(text) as { id: string; action: string };
    if (id !== awaited) continue;
    await patchStatus({ command: { id, action, result, message } });
    return JSON.parse(text);
  }
  return undefined;
}

describe("get", () => {
  it("lists bridges as a table, and of all namespaces with a column for them", async () => {
    expect((await llmbridge(["get"])).out).toMatch(/^NAME .*\nchat +- /);
    expect((await llmbridge(["get", "-A"])).out).toMatch(/^NAMESPACE +NAME .*\ndefault +chat /);
  });

  it("prints objects that can be read again", async () => {
    const list = await llmbridge(["get", "-o", "json"]);
    expect(JSON.parse(list.out)).toMatchObject({ kind: "List", items: [{ kind: "LLMBridge" }] });
    const one = await llmbridge(["get", "chat", "-o", "yaml"]);
    expect(parse(one.out)).toMatchObject({ kind: "LLMBridge", metadata: { name: "chat" } });
  });

  it("says what to do when there is no such bridge", async () => {
    const { exitCode, err } = await llmbridge(["get", "nope"]);
    expect(exitCode).toBe(1);
    expect(err).toBe(
      "error: there is no bridge nope in namespace default; `kubectl llmbridge get -A` lists all.\n",
    );
  });

  it("says which bridge was meant", async () => {
    for (const argv of [
      ["get", "chta"],
      ["get", "chta", "-w"],
      ["explain", "chta"],
    ])
      expect(await llmbridge(argv)).toMatchObject({
        exitCode: 1,
        err: "error: there is no bridge chta in namespace default; did you mean chat?\n",
      });
  });

  it("follows changes until it is interrupted, a line for each", async () => {
    const { terminal, shows, ended, interrupt } = begin(["get", "chat", "-w"]);
    await shows(/^NAME .*\nchat +- /);
    await patchStatus(atStepTenth);
    await shows(/chat +Holding +tenth \(1\/3\)/);
    interrupt();
    expect(await ended).toBe(0);
    expect(terminal.out.trim().split("\n")).toHaveLength(3);
  });

  it("follows the table on a terminal, with bridges that come and go, as wide as the terminal", async () => {
    const watching = begin(["get", "-w"], { size: { columns: 60, rows: 20 } });
    const last = () => watching.terminal.out.split("\u001b[J").at(-2);
    await expect.poll(last).toContain("chat");
    await api.create(smallestBridge("other"), { keep: true });
    await expect.poll(last).toMatch(/chat.*\n.*other/);
    await api.remove("other");
    await expect.poll(last).not.toContain("other");
    watching.interrupt();
    expect(await watching.ended).toBe(0);
    expect(watching.terminal.out).not.toContain("WORKERS");
  });
});

it("get NAME -w redraws one bridge with its pods as they come, and ends with it", async () => {
  const { terminal, shows, ended } = begin(["get", "chat", "-w"], { size: { columns: 100, rows: 40 } });
  await shows("not seen yet");
  await patchStatus(atStepTenth);
  await shows(/canary {2}d04be8/);
  await createChildren();
  await shows(/Deployment chat-d04be8 .*\n.*Pod chat-d04be8-x +Starting/);
  await api.remove("chat");
  expect(await ended).toBe(0);
  expect(terminal.out.startsWith("\u001b[2J")).toBe(true);
  expect(terminal.out).toContain("chat is deleted.");
  await api.request("DELETE", `${CORE}/pods/chat-d04be8-x?gracePeriodSeconds=0`);
  await api.request("DELETE", `${APPS}/chat-d04be8`);
  await api.create(smallestBridge("chat"), { keep: true });
});

describe("reading", () => {
  it("status tells by its exit code that no operator has looked yet, and explain answers", async () => {
    expect(await llmbridge(["status", "chat", "--no-wait"])).toMatchObject({
      ...{ exitCode: 5, out: expect.stringMatching(/^chat: No operator has looked at it yet; /) },
    });
    expect(await llmbridge(["status", "chta"])).toMatchObject({
      ...{ exitCode: 1, err: expect.stringContaining("did you mean chat?") },
    });
    await patchStatus(atStepTenth);
    expect((await llmbridge(["explain", "chat"])).out).toContain("Why is it not promoted yet?");
    const explained = JSON.parse((await llmbridge(["explain", "chat", "-o", "json"])).out);
    expect(explanationOutput.parse(explained).bridge).toEqual({ namespace: "default", name: "chat" });
  });

  it("history and diff read the revisions' Deployments and ConfigMaps", async () => {
    await createRevision("7c9f21", "b:1");
    await createRevision("d04be8", "b:2");
    await patchStatus({ ...atStepTenth, stable: { ...canary, revision: "7c9f21", image: "b:1" } });
    expect((await llmbridge(["history", "chat"])).out).toMatch(
      /^REVISION .*\n(d04be8 +2 .*canary.*\n7c9f21 +1 .*stable|7c9f21 +1 .*stable\nd04be8 +2 .*canary).*\n$/,
    );
    const listed = parse((await llmbridge(["history", "chat", "-o", "yaml"])).out);
    expect(historyOutput.parse(listed).revisions).toHaveLength(2);
    expect(await llmbridge(["diff", "chat"])).toEqual({
      exitCode: 0,
      out: `${[
        ...["--- chat-7c9f21/deployment.yaml", "+++ chat-d04be8/deployment.yaml", "@@ -3,4 +3,4 @@"],
        ...["     spec:", "       containers:", "         - name: bridge", "-          image: b:1"],
        "+          image: b:2",
      ].join("\n")}\n`,
      err: "",
    });
    expect(await llmbridge(["diff", "chat", "d04", "canary"])).toMatchObject({
      ...{ exitCode: 0, out: "", err: "Revisions d04be8 and d04be8 of chat say the same.\n" },
    });
    const told = await llmbridge(["diff", "chat", "-o", "json"], { coloured: true });
    expect(told.err).toBe("");
    expect(diffOutput.parse(JSON.parse(told.out)).comparisons).toEqual([
      {
        bridge: { namespace: "default", name: "chat" },
        ...{ before: "7c9f21", after: "d04be8" },
        files: [
          {
            file: "deployment.yaml",
            diff: expect.stringMatching(/^--- chat-7c9f21\/.*\n.*\+ +image: b:2\n$/s),
          },
        ],
      },
    ]);
    const same = await llmbridge(["diff", "chat", "d04", "canary", "-o", "yaml"]);
    expect(same).toMatchObject({ exitCode: 0, err: "" });
    expect(parse(same.out)).toMatchObject({
      comparisons: [{ before: "d04be8", after: "d04be8", files: [] }],
    });
    expect((await llmbridge(["diff", "chat", "beef"])).err).toMatch(/^error: chat has no revision beef; /);
    for (const revision of ["7c9f21", "d04be8"]) {
      await api.request("DELETE", `${APPS}/chat-${revision}`);
      await api.request("DELETE", `${CORE}/configmaps/chat-${revision}`);
    }
  });
});

describe("version", () => {
  it("tells the operators of the cluster by their Deployments, or that there is none", async () => {
    const none = await llmbridge(["version"]);
    expect(none).toMatchObject({ exitCode: 0, err: "" });
    expect(none.out).toMatch(/^client +\S+\noperator +unknown +no Deployment has the label /);
    const labels = { "app.kubernetes.io/name": "llmbridge-operator", "app.kubernetes.io/version": "0.2.0" };
    const spec = { containers: [{ name: "operator", image: "r/operator:0.2.0" }] };
    await api.request("POST", APPS, {
      metadata: { name: "llmbridge", labels },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    expect((await llmbridge(["version"])).out).toMatch(
      /^client +\S+\noperator +0\.2\.0 +default\/llmbridge, image r\/operator:0\.2\.0, no pod is ready\n$/,
    );
    const told = versionOutput.parse(JSON.parse((await llmbridge(["version", "-o", "json"])).out));
    expect(told.operators).toMatchObject([{ namespace: "default", version: "0.2.0", ready: 0 }]);
    expect(parse((await llmbridge(["version", "--client", "-o", "yaml"])).out)).toEqual({
      client: { version: VERSION },
    });
    await api.request("DELETE", `${APPS}/llmbridge`);
  });

  it("tells whoever may look into their namespace only by whom its newest revision was made", async () => {
    await createRevision("d04be8", "b:2");
    await api.request(
      "PATCH",
      `${APPS}/chat-d04be8`,
      {
        metadata: {
          labels: { "app.kubernetes.io/managed-by": "llmbridge-operator" },
          annotations: { "llmbridge.dev/renderer": "0.1.0" },
        },
      },
      "application/merge-patch+json",
    );
    const rules = [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list"] }];
    const limited = await account({ api, server }, "default", "deployments-only", rules);
    const terminal = testTerminal();
    expect(await run(["version", "--kubeconfig", limited], {}, terminal)).toBe(0);
    expect(terminal.out).toMatch(
      /^client +\S+\noperator +unknown +you may not do this: .* is forbidden.*; version 0\.1\.0 made the newest revision in namespace default\n$/,
    );
    await api.request("DELETE", `${APPS}/chat-d04be8`);
    await api.request("DELETE", `${CORE}/configmaps/chat-d04be8`);
  });
});

it("completes names, steps and namespaces as kubectl asks for them, and nothing where nobody answers", async () => {
  const completeAs = async (kubeconfig: string, ...words: string[]) => {
    const terminal = testTerminal();
    expect(await run(["__complete", "--kubeconfig", kubeconfig, ...words], {}, terminal)).toBe(0);
    return terminal.out;
  };
  const complete = (...words: string[]) => completeAs(server.kubeconfigPath, ...words);
  await patchStatus(atStepTenth);
  expect(await complete("promote", "c")).toBe("chat\tHolding\n:4\n");
  expect(await complete("get", "-n", "kube-s")).toMatch(/^kube-system\n:4\n$/);
  expect(await complete("-n", "kube-system", "get", "")).toBe(":4\n");
  expect(await complete("lint", "")).toBe(":0\n");
  expect(await completeAs("/nowhere", "get", "")).toBe(":4\n");
});

it("render prints what the API server takes", async () => {
  const example = join(import.meta.dirname, "../../examples/full.yaml");
  const { out } = await llmbridge(["render", example, "-n", "default"]);
  const file = join(dirname(server.kubeconfigPath), "rendered.yaml");
  await writeFile(file, out.replaceAll(/^ {2}namespace: .*$/gm, "  namespace: default"));
  const { stdout } = await promisify(execFile)(server.kubectlPath, [
    ...["apply", "--dry-run=server", "-f", file, "--kubeconfig", server.kubeconfigPath],
  ]);
  expect(stdout.trim().split("\n")).toHaveLength(9);
});

it("diff -f shows what a manifest would change", async () => {
  const manifest = (image: string) => {
    const bridge = smallestBridge("chat");
    return JSON.stringify({ ...bridge, spec: { ...bridge.spec, image } });
  };
  const made = parse((await llmbridge(["render", "-", "-o", "json"], reading(manifest("b:1")))).out) as {
    items: { kind: string; metadata: { name: string; labels: Record<string, string> } }[];
  };
  const [map] = made.items.filter(({ kind }) => kind === "ConfigMap");
  const [deployment] = made.items.filter(({ kind }) => kind === "Deployment");
  await api.request("POST", `${CORE}/configmaps`, map);
  await api.request("POST", APPS, deployment);
  const same = await llmbridge(["diff", "-f", "-"], reading(manifest("b:1")));
  expect(same).toMatchObject({ exitCode: 0, out: "", err: expect.stringContaining("no pod changes") });
  const { out } = await llmbridge(["diff", "-f", "-"], reading(manifest("b:2")));
  expect(out.split("\n").filter((line) => /^[-+] +image: /.test(line))).toEqual([
    "-          image: b:1",
    "+          image: b:2",
  ]);
  const other = manifest("b:1").replace('"chat"', '"another"');
  const both = `${manifest("b:2")}\n---\n${other}`;
  const told = JSON.parse((await llmbridge(["diff", "-f", "-", "-o", "json"], reading(both))).out);
  expect(diffOutput.parse(told).comparisons).toMatchObject([
    { bridge: { name: "chat" }, before: expect.any(String), files: [{ file: "deployment.yaml" }] },
    { bridge: { name: "another" }, after: expect.any(String) },
  ]);
  expect(told.comparisons[1]).not.toHaveProperty("before");
  expect((await llmbridge(["diff", "-f", "-"], reading(other))).out).toMatch(/^--- none\/config\.json\n/);
  await api.request("DELETE", `${CORE}/configmaps/${map?.metadata.name}`);
  await api.request("DELETE", `${APPS}/${deployment?.metadata.name}`);
});

describe("wrong places", () => {
  it("says in a sentence that the server is away", async () => {
    const away = join(dirname(server.kubeconfigPath), "away.yaml");
    const text = await readFile(server.kubeconfigPath, "utf8");
    await writeFile(away, text.replaceAll(server.url, "https://127.0.0.1:1"));
    for (const argv of [["get"], ["get", "chat", "-w"], ["explain", "chat"]]) {
      const terminal = testTerminal();
      expect(await run([...argv, "--kubeconfig", away], {}, terminal)).toBe(1);
      expect(terminal.err).toMatch(
        /^error: the API server does not answer \(.*ECONNREFUSED.*\); is the cluster up/,
      );
    }
  });

  it("says what a person may not do, and shows the rest", async () => {
    await patchStatus(atStepTenth);
    const rules = [
      { apiGroups: ["llmbridge.dev"], resources: ["llmbridges"], verbs: ["get", "list", "watch"] },
    ];
    const limited = await account({ api, server }, "default", "bridges-only", rules);
    const as = async (...argv: string[]) => {
      const terminal = testTerminal();
      return { exitCode: await run([...argv, "--kubeconfig", limited], {}, terminal), terminal };
    };
    const tree = await as("get", "chat");
    expect(tree.exitCode).toBe(0);
    expect(tree.terminal.out).toMatch(
      /canary {2}d04be8[\s\S]*not shown: you may not do this: pods is forbidden/,
    );
    for (const argv of [
      ["get", "-A"],
      ["get", "-A", "-w"],
      ["history", "chat"],
      ["diff", "chat"],
      ["pause", "chat"],
      ["set", "image", "chat", "b:3"],
    ]) {
      const { exitCode, terminal } = await as(...argv);
      expect({ argv, exitCode, err: terminal.err }).toEqual({
        ...{ argv, exitCode: 1, err: expect.stringMatching(/^error: you may not do this: .* is forbidden/) },
      });
    }
  });
});

describe("commands", () => {
  const bridge = { namespace: "default", name: "chat" };

  it("tell a program what they did, to which revision and step, and nothing else", async () => {
    await patchStatus(atStepTenth);
    const [, promoted] = await Promise.all([
      answerOnce("Done", "Step tenth is released."),
      llmbridge(["promote", "chat", "-o", "json"], { coloured: true }),
    ]);
    expect(promoted).toMatchObject({ exitCode: 0, err: "" });
    expect(orderOutput.parse(JSON.parse(promoted.out))).toEqual({
      ...{ bridge, command: "promote", id: "id-1", revision: "d04be8", step: "tenth" },
      ...{ outcome: "Done", message: "Step tenth is released." },
    });
    const [, jumped] = await Promise.all([
      answerOnce("Done", "It goes to half.", "id-2"),
      llmbridge(["jump", "chat", "--to", "half", "-o", "yaml"], { newId: () => "id-2" }),
    ]);
    expect(orderOutput.parse(parse(jumped.out))).toMatchObject({ id: "id-2", step: "tenth", to: "half" });
    // What is on its way is not undone, but aborted.
    const [, undone] = await Promise.all([
      answerOnce("Done", "The canary leaves.", "id-3"),
      llmbridge(["undo", "chat", "-o", "json"], { newId: () => "id-3" }),
    ]);
    expect(JSON.parse(undone.out)).toMatchObject({ command: "abort", revision: "d04be8" });
  });

  it("tell a program nothing but the exit code, and a person why, where they fail", async () => {
    await patchStatus(atStepTenth);
    const [, refused] = await Promise.all([
      answerOnce("Refused", "There is no canary to abort."),
      llmbridge(["abort", "chat", "-o", "json"]),
    ]);
    expect(refused).toMatchObject({ exitCode: 1, out: "", err: expect.stringMatching(/^error: /) });
    const late = await llmbridge(["abort", "chat", "--timeout", "1", "-o", "json"], { newId: () => "id-4" });
    expect(late).toMatchObject({ exitCode: 3, out: "", err: expect.stringMatching(/^error: /) });
    expect(await llmbridge(["pause", "nope", "-o", "json"])).toMatchObject({ exitCode: 1, out: "" });
  });

  it("pause and resume tell a program whether anything changed", async () => {
    const told = async (command: string) =>
      orderOutput.parse(JSON.parse((await llmbridge([command, "chat", "-o", "json"])).out));
    expect(await told("pause")).toMatchObject({ bridge, command: "pause", outcome: "Done" });
    expect(await told("pause")).toMatchObject({ outcome: "Unchanged", message: "is paused already." });
    expect(await told("resume")).toMatchObject({ command: "resume", outcome: "Done" });
    expect(await told("resume")).toMatchObject({ outcome: "Unchanged", message: "is not paused." });
  });

  it("promote writes the command for the present step and waits for the answer", async () => {
    await patchStatus(atStepTenth);
    const [written, { exitCode, out }] = await Promise.all([
      answerOnce("Done", "Step tenth is released."),
      llmbridge(["promote", "chat"]),
    ]);
    expect(written).toEqual({ action: "promote", revision: "d04be8", step: "tenth", id: "id-1" });
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: "chat: Step tenth is released.\n" });
  });

  it("tells a refusal as a failure", async () => {
    await patchStatus(atStepTenth);
    const [, { exitCode, err }] = await Promise.all([
      answerOnce("Refused", "There is no canary to abort."),
      llmbridge(["abort", "chat"]),
    ]);
    expect(exitCode).toBe(1);
    expect(err).toBe("error: the operator refuses to abort chat: There is no canary to abort.\n");
  });

  it("ends with 3 when no operator answers", async () => {
    await patchStatus(atStepTenth);
    const { exitCode, err } = await llmbridge(["abort", "chat", "--timeout", "1"]);
    expect(exitCode).toBe(3);
    expect(err).toContain("the operator has not answered within 1 s");
  });

  it("pause and resume move one field", async () => {
    expect((await llmbridge(["pause", "chat"])).out).toContain("chat: paused.");
    expect((await read()).spec.rollout.paused).toBe(true);
    expect((await llmbridge(["pause", "chat"])).out).toBe("chat: is paused already.\n");
    expect((await llmbridge(["resume", "chat"])).out).toBe("chat: goes on.\n");
    expect((await read()).spec.rollout.paused).toBe(false);
  });
});

it("survives a reader that closes the pipe", async () => {
  const main = join(import.meta.dirname, "main.ts");
  const line = `"${process.execPath}" "${main}" get --kubeconfig "${server.kubeconfigPath}" | head -c 1`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["-o", "pipefail", "-c", line]);
  expect({ stdout, stderr }).toEqual({ stdout: "N", stderr: "" });
});

it("says in a sentence that there is no kubeconfig to read", async () => {
  const terminal = testTerminal();
  expect(await run(["get"], { KUBECONFIG: "/nowhere", HOME: "/nowhere" }, terminal)).toBe(1);
  expect(terminal.err).toMatch(/^error: /);
});
