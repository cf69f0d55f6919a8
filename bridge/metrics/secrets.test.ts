import { describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import { createMetrics } from "./registry.ts";
import { watchSecrets } from "./secrets.ts";

const TOKEN = "/etc/llmbridge/secrets/keys/token";
const URL = "/etc/llmbridge/secrets/keys/url";

function watched() {
  const metrics = createMetrics({ bridge: "chat", revision: "abc" });
  let nowMs = 10_000;
  const secrets = watchSecrets(metrics, () => nowMs);
  const value = async (metric: string) => {
    const text = await metrics.registry.metrics();
    const line = text.split("\n").find((one) => one.startsWith(`${metric}{secret="keys",`));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  const wait = (ms: number): void => {
    nowMs += ms;
  };
  return { secrets, value, wait };
}

describe("watchSecrets", () => {
  it("says since when the content is in force, and how often it changed since the pod started", async () => {
    const { secrets, value, wait } = watched();
    secrets.taken(TOKEN);
    expect(await value(METRICS.secretReadSeconds)).toBe(10);
    expect(await value(METRICS.secretChanges)).toBe(0);
    wait(5_000);
    secrets.taken(TOKEN);
    expect(await value(METRICS.secretReadSeconds)).toBe(15);
    expect(await value(METRICS.secretChanges)).toBe(1);
  });

  it("counts no change where a second key of the same Secret is read for the first time", async () => {
    const { secrets, value } = watched();
    secrets.taken(TOKEN);
    secrets.taken(URL);
    expect(await value(METRICS.secretChanges)).toBe(0);
  });

  it("says that newer content is refused until every key of it is usable again", async () => {
    const { secrets, value, wait } = watched();
    secrets.taken(TOKEN);
    secrets.taken(URL);
    wait(5_000);
    secrets.refused(URL);
    expect(await value(METRICS.secretRefused)).toBe(1);
    expect(await value(METRICS.secretReadSeconds)).toBe(10);
    secrets.taken(TOKEN);
    expect(await value(METRICS.secretRefused)).toBe(1);
    secrets.restored(URL);
    expect(await value(METRICS.secretRefused)).toBe(0);
  });

  it("has the series of one that was never usable, without a time", async () => {
    const { secrets, value } = watched();
    secrets.refused(TOKEN);
    expect(await value(METRICS.secretRefused)).toBe(1);
    expect(await value(METRICS.secretChanges)).toBe(0);
    expect(await value(METRICS.secretReadSeconds)).toBeUndefined();
  });
});
