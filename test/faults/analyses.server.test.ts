import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { type Bed, openBed } from "./bed.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { bridgeImage, storySpec } from "./story.ts";

let bed: Bed;
let settings: TestSettings;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => {
  await bed?.down();
});
beforeEach(() => {
  settings = settingsFile({});
});
afterEach(() => settings.remove());

const strict = (falseRollback: string) => ({
  sources: [{ name: "default", url: "http://127.0.0.1:9" }],
  analyses: [{ name: "strict", falseRollback }],
  defaultAnalysis: "strict",
});
const inForce = ({ analysis }: LLMBridgeStatus) =>
  analysis &&
  `${analysis.from} ${(JSON.parse(analysis.values ?? "{}") as { falseRollback: string }).falseRollback}`;

it("a bridge that says nothing of its analysis follows the administrator's, and one that names none of them waits", async () => {
  settings.write(strict("0.5%"));
  const stage = await bed.stage({ isEmpty: true });
  await stage.start({ settingsPath: settings.path });
  const { bridge } = stage.actor();
  const spec = storySpec(bridgeImage(1));
  await bridge.apply({ ...spec, rollout: { ...spec.rollout, analysis: {} } });
  await bridge.waitFor("judged by the default", (status) => inForce(status) === "strict 0.5%");

  settings.write(strict("0.2%"));
  await bridge.waitFor("judged by what the default is now", (status) => inForce(status) === "strict 0.2%");

  await bridge.patch({ rollout: { analysis: { from: "lax" } } });
  const refused = await bridge.waitFor("refused", ({ conditions }) =>
    conditions.some(({ type, reason }) => type === "Accepted" && reason === "UnknownAnalysis"),
  );
  expect(refused.conditions.find(({ type }) => type === "Accepted")?.message).toContain("built-in, strict");

  await bridge.patch({ rollout: { analysis: { from: "built-in" } } });
  await bridge.waitFor("judged by its own", (status) => inForce(status) === "built-in 1%");
  await stage.close();
});
