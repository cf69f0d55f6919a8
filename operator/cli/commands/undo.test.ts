import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { revisionHash } from "../../bridges/revision.ts";
import { revisionSpec } from "../../bridges/revision-spec.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Resource } from "../../kube/resources.ts";
import { type Arguments, parseArguments } from "../arguments.ts";
import type { DeploymentView } from "../family.ts";
import { storedDeployment } from "../testing/family.ts";
import { lineOf, storedWith } from "../testing/following.ts";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { testTerminal } from "../testing/terminal.ts";
import { targetOf, undo, whyNotTrusted } from "./undo.ts";

const spec = llmBridgeSpec.parse({
  image: "registry.example/bridge:1.5.0",
  upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
});
const asked = revisionHash(spec);
const deployment = (revision: string): DeploymentView => ({
  ...{ name: `chat-${revision}`, revision, image: "i:1", renderer: "0", track: "retired" },
  ...{ created: "2026-11-21T09:00:00Z", replicas: 0, ready: 0, refusal: undefined },
  ...{ ending: undefined, retiredAt: undefined },
});
const all = [asked, "7c9f21", "d04be8"].map(deployment);
const bridge = (rollout: object) =>
  sampleBridge({
    status: {
      ...{ phase: "Stable", canary: undefined, step: undefined },
      rollout: { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z", ...rollout },
    },
  });

describe("what undo goes back to", () => {
  it("is the version that was stable before, the newest that is still there", () => {
    const at = bridge({ stableRevision: asked, served: ["gone01", "7c9f21", "d04be8"] });
    expect(targetOf(at, all, asked, undefined).revision).toBe("7c9f21");
  });

  it("is the stable version where the spec asks for another one", () => {
    const at = bridge({ stableRevision: "d04be8", served: ["7c9f21"] });
    expect(targetOf(at, all, asked, undefined).revision).toBe("d04be8");
  });

  it("is the one that a person names", () => {
    expect(targetOf(bridge({ stableRevision: asked }), all, asked, "d04").revision).toBe("d04be8");
  });

  it.each([
    [undefined, "has no version that was stable before"],
    [asked, "asks for revision"],
    ["zzz", "has no revision zzz"],
  ])("is nothing for %s", (word, message) => {
    expect(() => targetOf(bridge({ stableRevision: asked }), all, asked, word)).toThrow(message);
  });
});

describe("undo of content alone", () => {
  const withApp = llmBridgeSpec.parse({ ...spec, pod: { envFrom: [{ configMapRef: { name: "app" } }] } });
  const contents = (app: string) => ({ configMaps: { app } });
  const [wanted, bad] = [revisionHash(withApp, contents("good")), revisionHash(withApp, contents("bad"))];
  const stored = (revision: string | undefined) => ({
    ...storedWith(
      {
        ...{ observedGeneration: 1, phase: "Aborted" },
        ...(revision === undefined ? {} : { revision }),
        rollout: {
          ...{ phase: "Aborted", phaseSince: "2026-11-21T09:00:00Z", stableRevision: wanted },
          failed: { revision: bad, reason: "Command", message: "m", time: "2026-11-21T09:00:00Z" },
        },
      },
      { uid: "u1" },
    ),
    spec: withApp,
  });

  function begin(revision: string | undefined, ...options: string[]) {
    const line = lineOf(stored(revision));
    const kept = (app: string) => ({
      ...{ "spec.json": JSON.stringify(revisionSpec(withApp)) },
      "contents.json": JSON.stringify(contents(app)),
    });
    const maps: Readonly<Record<string, object>> = {
      ...{ [`chat-${wanted}`]: kept("good"), [`chat-${bad}`]: kept("bad") },
      ...{ app: { A: "bad" }, [`chat-${wanted}-config-0`]: { A: "good" } },
    };
    const written: string[] = [];
    const { get } = line.connection.client;
    const client = {
      ...line.connection.client,
      get: async (resource: Resource, namespace: string, name: string) =>
        resource.kind === "ConfigMap"
          ? { metadata: { name, resourceVersion: "7" }, data: maps[name] }
          : get(resource, namespace, name),
      list: async () => [storedDeployment(wanted, spec.image, 1), storedDeployment(bad, spec.image, 0)],
      mergePatch: async (_: object, __: string, name: string) => written.push(name),
    } as unknown as KubeClient;
    const terminal = testTerminal();
    const args = { ...(parseArguments(["undo", "chat", ...options]) as Arguments), name: "chat" };
    const ended = undo(args, { ...line.connection, client }, terminal);
    // It may end before the test asks.
    ended.catch(() => {});
    return { line, terminal, written, ended };
  }

  it("ends when the operator has seen it, and not before", async () => {
    const { line, terminal, written, ended } = begin(bad);
    await expect.poll(() => written).toEqual(["app"]);
    // The operator has come to something else, which says nothing of the content.
    line.say("MODIFIED", stored(bad));
    expect(terminal.out).toBe("");
    line.say("MODIFIED", stored(wanted));
    await ended;
    expect(terminal.out).toContain(`the spec asks for revision ${wanted} again`);
    expect(terminal.out).toContain('ConfigMap "app" holds again what that revision keeps.');
  });

  it("says what becomes of it where no operator looks", async () => {
    const { terminal, written, ended } = begin(bad, "--timeout", "100ms");
    await expect(ended).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(
        `not answered within 0.1 s. What revision ${wanted} is made from is written and counts when the operator runs`,
      ),
    });
    expect({ written, out: terminal.out }).toEqual({ written: ["app"], out: "" });
  });

  it("waits for no word of an operator that does not note the revision", async () => {
    const { terminal, ended } = begin(undefined);
    await ended;
    expect(terminal.out).toContain("again");
  });
});

describe("what undo warns of", () => {
  const at = bridge({ stableRevision: asked });
  const [, target] = all as [DeploymentView, DeploymentView];
  const retiredAt = "2026-11-21T09:00:00.123Z";

  it("is a revision that was rolled back, with when and why", () => {
    const because = "ErrorsProvedWorse: errors +5pp";
    expect(whyNotTrusted({ ...target, retiredAt, ending: { outcome: "RolledBack", because } }, at)).toBe(
      "revision 7c9f21 was rolled back at 2026-11-21T09:00:00Z: ErrorsProvedWorse: errors +5pp.",
    );
  });

  it.each(["WasStable", "Withdrawn"] as const)("is nothing for one that is %s", (outcome) => {
    expect(whyNotTrusted({ ...target, ending: { outcome, because: "m" } }, at)).toBeUndefined();
    expect(whyNotTrusted(target, at)).toBeUndefined();
  });
});
