import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LLMBridgeStatus, llmBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { isRolling } from "../../operator/rollout/fleet/view.ts";
import { until } from "../kube/until.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Several bridges under the administrator's rules, by the operator as its image runs it. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const SOURCES = [{ name: "default", url: "http://127.0.0.1:9" }];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

interface FleetStage {
  readonly stage: Stage;
  readonly settings: TestSettings;
  readonly start: () => Promise<unknown>;
}

async function staged(fleet: object): Promise<FleetStage> {
  const stage = await bed.stage({ isEmpty: true });
  const settings = settingsFile({ sources: SOURCES, fleet });
  const start = () => stage.start({ settingsPath: settings.path });
  await start();
  return { stage, settings, start };
}

async function serving(stage: Stage, names: readonly string[], more: object = {}): Promise<void> {
  const spec = storySpec(FIRST);
  for (const name of names)
    await stage.actor(name).bridge.apply({ ...spec, rollout: { ...spec.rollout, ...more } });
  await Promise.all(names.map((name) => stage.actor(name).bridge.promoted(FIRST)));
}

const statuses = async (stage: Stage): Promise<readonly (readonly [string, LLMBridgeStatus])[]> =>
  (await stage.list<KubeObject & { status?: unknown }>(LLMBRIDGES)).map((one) => [
    one.metadata.name,
    llmBridgeStatus.parse(one.status ?? {}),
  ]);

/** Who rolls, and who waits for a place in which order. */
async function places(stage: Stage): Promise<{ rolling: string[]; waiting: string[] }> {
  const all = await statuses(stage);
  const waiting = all.flatMap(([name, { rollout }]) =>
    rollout?.queued && rollout.heldFor === "FleetLimit" ? [{ name, ...rollout.queued }] : [],
  );
  waiting.sort((one, other) => (`${one.since}/${one.name}` < `${other.since}/${other.name}` ? -1 : 1));
  return {
    rolling: all.flatMap(([name, { phase }]) => (isRolling(phase) ? [name] : [])),
    waiting: waiting.map(({ name }) => name),
  };
}

describe("scenario 33: a fleet that may roll one bridge at a time", () => {
  it("never rolls two, takes them in their order, and goes on so after it was killed", async () => {
    const { stage, settings, start } = await staged({ maxRollouts: 1 });
    const names = ["one", "two", "three", "four"];
    await serving(stage, names);
    // All at once: the workers of the operator look at them side by side.
    await Promise.all(names.map((name) => stage.actor(name).bridge.patch({ image: SECOND })));
    for (let left = names.length; left > 0; left -= 1) {
      const { rolling, waiting } = await until("all in their places", async () => {
        const now = await places(stage);
        expect(now.rolling.length).toBeLessThanOrEqual(1);
        return now.rolling.length === 1 && now.waiting.length === left - 1 ? now : undefined;
      });
      if (left === 3) {
        await stage.kill();
        await start();
      }
      const { bridge, command, holding } = stage.actor(rolling[0] ?? "");
      const revision = await holding(SECOND);
      expect(await places(stage)).toEqual({ rolling, waiting });
      await command({ action: "promote", revision, full: true });
      await bridge.promoted(SECOND);
      const [next] = waiting;
      if (next) await stage.actor(next).holding(SECOND);
    }
    await stage.close();
    settings.remove();
  });

  it("says who is before it, and starts all when the limit is lifted", async () => {
    const { stage, settings } = await staged({ maxRollouts: 1 });
    await serving(stage, ["one", "two", "three"]);
    await stage.actor("one").bridge.patch({ image: SECOND });
    await stage.actor("one").holding(SECOND);
    for (const name of ["two", "three"]) {
      await stage.actor(name).bridge.patch({ image: SECOND });
      await stage.actor(name).bridge.waitFor("queued", ({ rollout }) => rollout?.heldFor === "FleetLimit");
    }
    const { summary, conditions } = await stage.actor("three").bridge.status();
    expect(summary).toContain(
      `The administrator allows 1 rollout at once (fleet.maxRollouts); its turn is after ${stage.namespace}/two.`,
    );
    expect(conditions.find(({ type }) => type === "Progressing")).toMatchObject({
      ...{ status: "True", reason: "FleetLimit" },
    });
    settings.write({ sources: SOURCES });
    await Promise.all(["two", "three"].map((name) => stage.actor(name).holding(SECOND)));
    await stage.close();
    settings.remove();
  });
});

describe("a freeze", () => {
  const freeze = (promote: string) => ({
    freezes: [
      {
        ...{ name: "year-end", promote },
        ...{ from: "2020-01-01T00:00:00Z", to: new Date(Date.now() + 86_400_000).toISOString() },
      },
    ],
  });

  it("holds what would start, refuses a person, lets one through where the administrator allows it, and ends with the settings", async () => {
    const { stage, settings } = await staged(freeze("Refuse"));
    await serving(stage, ["one", "two"]);
    const { bridge, command, holding } = stage.actor("one");
    await bridge.patch({ image: SECOND });
    await stage.actor("two").bridge.patch({ image: SECOND });
    const frozen = await bridge.waitFor("frozen", ({ rollout }) => rollout?.heldFor === "FleetFreeze");
    expect(frozen.summary).toContain('Freeze "year-end" of the administrator holds rollouts until ');
    const revision = frozen.rollout?.queued?.revision ?? "";
    await command({ action: "promote", revision, id: "first" });
    const refused = await bridge.waitFor("refused", ({ command: answer }) => answer?.id === "first");
    expect(refused.command).toMatchObject({
      result: "Refused",
      message: expect.stringContaining("year-end"),
    });

    settings.write({ sources: SOURCES, fleet: freeze("Allow") });
    await until("released", async () => {
      const id = `again-${Math.random()}`;
      await command({ action: "promote", revision, id });
      const { command: answer } = await bridge.waitFor("answered", (status) => status.command?.id === id);
      return answer?.result === "Done" || undefined;
    });
    await holding(SECOND);
    expect((await stage.actor("two").bridge.status()).phase).toBe("Stable");
    // It is in the Service; the freeze keeps it at this step.
    await bridge.waitFor("frozen at its step", ({ rollout }) => rollout?.heldFor === "FleetFreeze");

    settings.write({ sources: SOURCES });
    await stage.actor("two").holding(SECOND);
    await stage.close();
    settings.remove();
  });
});

describe("spec.rollout.after", () => {
  it("lets a bridge start when the one before it is through", async () => {
    const { stage, settings } = await staged({});
    await serving(stage, ["search"]);
    await serving(stage, ["chat"], { after: ["search"] });
    // What search has before it has been looked at counts; what is written after chat has started cannot.
    await stage.actor("search").bridge.patch({ image: SECOND });
    await stage.actor("chat").bridge.patch({ image: SECOND });
    const revision = await stage.actor("search").holding(SECOND);
    const { summary } = await stage
      .actor("chat")
      .bridge.waitFor("waiting", ({ summary: text }) => text?.includes("is under way") === true);
    expect(summary).toContain('It starts after LLMBridge "search" (spec.rollout.after)');
    expect((await stage.actor("chat").bridge.status()).canary).toBeUndefined();
    await stage.actor("search").command({ action: "promote", revision, full: true });
    await stage.actor("search").bridge.promoted(SECOND);
    await stage.actor("chat").holding(SECOND);
    await stage.close();
    settings.remove();
  });
});
