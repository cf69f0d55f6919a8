import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ApiServer, apiServerUp } from "../../test/cluster/api-server.ts";
import { type BridgeApi, bridgeApi } from "../../test/conformance/bridge-api.ts";
import { smallestBridge } from "../../test/conformance/bridge-objects.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { COMMAND_ANNOTATION } from "../api/v1alpha1/commands.ts";
import type { BridgeView } from "./bridge-view.ts";
import { BRIDGES, type Connection, connect } from "./connection.ts";
import { follow } from "./follow.ts";
import { run } from "./run.ts";

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

/** Runs a command line as a person would, with pipes for streams. */
async function llmbridge(argv: readonly string[], signal = new AbortController().signal) {
  let out = "";
  let err = "";
  const exitCode = await run(
    [...argv, "--kubeconfig", server.kubeconfigPath],
    {},
    {
      write: (text) => {
        out += text;
      },
      warn: (text) => {
        err += text;
      },
      readStdin: async () => "",
      nowMs: Date.now,
      newId: () => "id-1",
      interactive: false,
      signal,
    },
  );
  return { exitCode, out, err };
}

const patchStatus = (status: object) =>
  api.request("PATCH", `${PATH}/chat/status`, { status }, "application/merge-patch+json");

const PATH = "/apis/llmbridge.dev/v1alpha1/namespaces/default/llmbridges";

const read = () => connection.client.get<BridgeView>(BRIDGES, "default", "chat");

const canary = { revision: "d04be8", image: "b:2", replicas: 1, ready: 1, desiredWeight: 10 };
const atStepTenth = {
  phase: "Holding",
  canary,
  step: { name: "tenth", index: 0, count: 3, weight: 10 },
};

/** Stands in for the operator: answers the first command that it sees. */
async function answerOnce(result: "Done" | "Refused", message: string): Promise<unknown> {
  for await (const { bridge } of follow(connection, "chat", new AbortController().signal)) {
    const text = bridge.metadata.annotations?.[COMMAND_ANNOTATION];
    if (text === undefined) continue;
    const { id, action } = JSON.parse(text) as { id: string; action: string };
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

  it("follows changes until it is interrupted", async () => {
    const interrupted = new AbortController();
    let out = "";
    const watching = run(
      ["get", "chat", "-w", "--kubeconfig", server.kubeconfigPath],
      {},
      {
        write: (text) => {
          out += text;
          if (text.includes("Holding")) interrupted.abort();
          else void patchStatus(atStepTenth);
        },
        warn: () => {},
        readStdin: async () => "",
        ...{ nowMs: Date.now, newId: () => "", interactive: false, signal: interrupted.signal },
      },
    );
    expect(await watching).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(3);
    expect(out).toMatch(/chat +Holding +tenth \(1\/3\)/);
  });
});

it("follows one bridge on a terminal in full, redrawn", async () => {
  const interrupted = new AbortController();
  const screens: string[] = [];
  const exitCode = await run(
    ["get", "chat", "-w", "--kubeconfig", server.kubeconfigPath],
    {},
    {
      write: (text) => {
        screens.push(text);
        if (text.includes("canary")) interrupted.abort();
        else void patchStatus(atStepTenth);
      },
      warn: () => {},
      readStdin: async () => "",
      ...{ nowMs: Date.now, newId: () => "", interactive: true, signal: interrupted.signal },
    },
  );
  expect(exitCode).toBe(0);
  expect(screens.every((screen) => screen.startsWith("\u001b[2J"))).toBe(true);
  expect(screens.at(-1)).toContain("canary  d04be8");
});

describe("status and explain", () => {
  it("show what status holds", async () => {
    await patchStatus(atStepTenth);
    expect((await llmbridge(["status", "chat"])).out).toContain("canary  d04be8");
    expect((await llmbridge(["explain", "chat"])).out).toContain("Why is it not promoted yet?");
  });
});

describe("commands", () => {
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
  const other = { ...process.env, KUBECONFIG: "/nowhere" };
  let err = "";
  const exitCode = await run(
    ["get"],
    { ...other, HOME: "/nowhere" },
    {
      ...{ write: () => {}, readStdin: async () => "", nowMs: Date.now, newId: () => "", interactive: false },
      warn: (text) => {
        err += text;
      },
      signal: new AbortController().signal,
    },
  );
  expect(exitCode).toBe(1);
  expect(err).toMatch(/^error: /);
});
