import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { historyOutput, orderOutput, statusOutput } from "../../operator/cli/outputs.ts";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { type FaultProxy, startFaultProxy } from "../faults/proxy.ts";
import { bridgeImage } from "../faults/story.ts";

/** What a pipeline rests on, against a real API server and a real operator. The line of the person can be cut without the operator's. */

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];

let bed: Bed;
let line: FaultProxy;
beforeAll(async () => {
  bed = await openBed({ hasBudgets: true });
  line = await startFaultProxy(bed.plane.server.kubeconfigPath);
});
afterAll(async () => {
  await line?.close();
  await bed?.down();
});

let ids = 0;

/** Begins `kubectl llmbridge ...` in the stage's namespace. */
function begin(stage: Stage, ...words: string[]) {
  ids += 1;
  const interrupted = new AbortController();
  const terminal = testTerminal({ newId: () => `status-${ids}`, signal: interrupted.signal });
  const ended = run([...words, "-n", stage.namespace, "--kubeconfig", line.kubeconfigPath], {}, terminal);
  const shows = (text: string | RegExp) =>
    expect.poll(() => terminal.out + terminal.err, { timeout: 30_000 }).toMatch(text);
  return { terminal, ended, shows, interrupt: () => interrupted.abort() };
}

async function kubectl(stage: Stage, ...words: string[]) {
  const { terminal, ended } = begin(stage, ...words);
  return { code: await ended, out: terminal.out, err: terminal.err };
}

const place = (stage: Stage) => ` -n ${stage.namespace} --kubeconfig ${line.kubeconfigPath}`;

describe("status", () => {
  it("follows a change to its end, through edits and while the API server is away", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    const first = (await bridge.status()).stable?.revision;
    expect(await kubectl(stage, "status", "chat")).toEqual({
      ...{ code: 0, out: `chat: Revision ${first} (1) is stable.\n`, err: "" },
    });

    const set = await kubectl(stage, "set", "image", "chat", SECOND);
    expect(set.out).toBe(
      `chat: the image is ${SECOND} now. A canary starts at step half (50%). \`kubectl llmbridge status chat${place(stage)}\` follows it.\n`,
    );
    const following = begin(stage, "status", "chat", "--timeout", "3m");
    const second = await holding(SECOND);
    await following.shows(`asks for revision ${second} (2).`);
    await following.shows(`Holding canary ${second} at step half (50%).`);
    const told = await kubectl(stage, "status", "chat", "--no-wait", "-o", "json");
    expect(told).toMatchObject({ code: 5, err: "" });
    expect(statusOutput.parse(JSON.parse(told.out))).toMatchObject({
      ...{ outcome: "InProgress", revision: second, image: SECOND, stable: first, phase: "Holding" },
    });

    line.cutOff();
    await following.shows("no changes come in");
    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    await line.restore();
    await following.shows(`asks for revision ${third} (3) now; that is followed.`);
    await following.shows(`Revision ${second} is withdrawn: the spec asks for revision ${third} instead.`);
    expect(await kubectl(stage, "promote", "chat", "--full")).toMatchObject({ code: 0 });
    expect(await following.ended).toBe(0);
    expect(following.terminal.out).toMatch(
      new RegExp(
        `Revision ${third} is promoted: .*\\n(.*\\n)*chat: Revision ${third} \\(3\\) is stable\\.\\n$`,
      ),
    );
    await stage.close();
  });

  it("ends with 4 for what is rolled back; how to go on is told, and history does not forget why", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const following = begin(stage, "status", "chat", "-o", "yaml");
    await following.shows(`Holding canary ${second}`);
    expect(await kubectl(stage, "abort", "chat")).toMatchObject({ code: 0 });
    expect(await following.ended).toBe(4);
    expect(statusOutput.parse(parse(following.terminal.out))).toMatchObject({
      outcome: "RolledBack",
      message: expect.stringContaining(`\`kubectl llmbridge retry chat${place(stage)}\``) as string,
    });
    expect(following.terminal.err).toContain("is rolled back: a person asked for it");
    expect(await kubectl(stage, "status", "chat")).toMatchObject({ code: 4, err: "" });

    const refused = await kubectl(stage, "promote", "chat", "--full");
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining("`kubectl llmbridge retry chat`"),
    });
    // The way that it names leads there.
    expect(await kubectl(stage, "retry", "chat")).toMatchObject({ code: 0 });
    expect(await kubectl(stage, "promote", "chat", "--full")).toMatchObject({ code: 0 });
    expect(await kubectl(stage, "status", "chat", "--timeout", "2m")).toMatchObject({ code: 0 });

    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    await kubectl(stage, "abort", "chat");
    expect(await kubectl(stage, "status", "chat")).toMatchObject({ code: 4 });
    await bridge.patch({ image: SECOND });
    await bridge.waitFor("forgiven", ({ phase }) => phase === "Stable");
    // As it is once ten newer decisions have come.
    const namespace = stage.namespace;
    const noDecisions = { status: { decisions: [] } };
    await stage.end();
    await bed.plane.api.request(
      "PATCH",
      `/apis/llmbridge.dev/v1alpha1/namespaces/${namespace}/llmbridges/chat/status`,
      noDecisions,
      "application/merge-patch+json",
    );
    const listed = await kubectl(stage, "history", "chat", "-o", "json");
    expect(historyOutput.parse(JSON.parse(listed.out)).revisions).toMatchObject([
      { revision: third, outcome: "RolledBack", why: "Command: a person asked for it" },
      { revision: second, outcome: "Stable" },
      { outcome: "WasStable", why: `Revision ${second} took its place.` },
    ]);
    const undone = await kubectl(stage, "undo", "chat", third);
    expect(undone).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        new RegExp(
          `^warning: revision ${third} was rolled back at \\S+Z: Command: a person asked for it\\.\\n$`,
        ),
      ),
    });
    await stage.close();
  });

  it("tells a refused spec, a pause and a time that is over apart", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    await bridge.patch({ budget: { cpu: "50m" } });
    const refused = await kubectl(stage, "status", "chat");
    expect(refused).toMatchObject({
      ...{ code: 4, out: expect.stringMatching(/\nchat: The spec is refused: .*spec\.budget/s) },
    });
    await bridge.patch({ budget: null, image: SECOND });
    await holding(SECOND);
    expect(await kubectl(stage, "pause", "chat")).toMatchObject({ code: 0 });
    const following = begin(stage, "status", "chat", "--timeout", "5s", "-o", "json");
    await following.shows(`\`kubectl llmbridge resume chat${place(stage)}\``);
    expect(await following.ended).toBe(3);
    expect(following.terminal.err).toMatch(/error: not over within 5s\. .*paused/);
    expect(JSON.parse(following.terminal.out)).toMatchObject({ outcome: "InProgress" });
    const paused = await kubectl(stage, "promote", "chat", "--full");
    expect(paused.err).toContain(
      `\`kubectl llmbridge resume chat${place(stage)}\` first, then \`kubectl llmbridge promote chat --full${place(stage)}\`.`,
    );
    const interrupted = begin(stage, "status", "chat");
    await interrupted.shows("paused");
    interrupted.interrupt();
    expect(await interrupted.ended).toBe(130);
    await stage.close();
  });

  it("ends where the bridge does, also when another one takes its name meanwhile", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    await holding(SECOND);
    const deleted = begin(stage, "status", "chat");
    const replaced = begin(stage, "status", "chat");
    await deleted.shows("Holding canary");
    await replaced.shows("Holding canary");
    const { spec } = (await bridge.get()) as unknown as { spec: object };
    const remake = async () => {
      await bed.plane.client.delete(LLMBRIDGES, stage.namespace, "chat");
      await bed.plane.client.create(LLMBRIDGES, {
        ...{ apiVersion: "llmbridge.dev/v1alpha1", kind: "LLMBridge" },
        metadata: { namespace: stage.namespace, name: "chat" },
        spec,
      } as never);
    };
    await remake();
    for (const { ended, terminal } of [deleted, replaced]) {
      expect(await ended).toBe(1);
      expect(terminal.err).toMatch(/error: chat was deleted/);
    }
    await stage.close();
  });

  it("set image tells what it starts, and writes nothing that is there already", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    const { stable } = await bridge.status();
    expect((await kubectl(stage, "set", "image", "chat", FIRST)).out).toBe(
      `chat: its image is ${FIRST} already.\n`,
    );
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const back = await kubectl(stage, "set", "image", "chat", FIRST, "-o", "json");
    expect(orderOutput.parse(JSON.parse(back.out))).toMatchObject({
      ...{ command: "set", image: FIRST, outcome: "Done" },
      message: expect.stringContaining(
        `Canary ${second} is withdrawn. That is the stable version, revision ${stable?.revision}: no pod of it changes.`,
      ) as string,
    });
    const writes = line.requests.filter(({ verb, name }) => verb === "patch" && name === "chat");
    expect(writes.at(-1)).toMatchObject({ resource: "llmbridges" });
    expect(await kubectl(stage, "status", "chat", "--timeout", "1m")).toMatchObject({ code: 0 });
    expect(await kubectl(stage, "set", "image", "chat", "")).toMatchObject({
      ...{ code: 1, err: expect.stringMatching(/^error: spec\.image: /) },
    });
    await stage.close();
  });
});
