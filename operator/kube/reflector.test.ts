import { describe, expect, it } from "vitest";
import type { KubeClient, Page, WatchEvent } from "./client.ts";
import { ApiError } from "./errors.ts";
import { silentLog } from "./log.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { DEFAULT_TIMING, runReflector } from "./reflector.ts";
import { resources } from "./resources.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const page: Page<KubeObject> = { items: [], resourceVersion: "1", continueToken: undefined };

/** Only the times between tries are of interest here; what a real server does is in informer.server.test.ts. */
function start(answers: {
  list?: () => Page<KubeObject>;
  watch?: () => AsyncIterable<WatchEvent<KubeObject>>;
}) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const tries: number[] = [];
  const versions: string[] = [];
  const client = {
    async listPage() {
      if (answers.list) tries.push(clock.monotonic());
      return answers.list?.() ?? page;
    },
    async watch(_: unknown, options: { resourceVersion: string; signal: AbortSignal }) {
      versions.push(options.resourceVersion);
      if (answers.watch) tries.push(clock.monotonic());
      if (answers.watch) return answers.watch();
      return quiet(options.signal);
    },
  } as Partial<KubeClient> as KubeClient;
  const ended = runReflector<KubeObject>(
    {
      ...{ client, resource: resources.pods, selection: {}, transform: (object) => object },
      ...{ clock, random: () => 1, log: silentLog, metrics: createKubeMetrics(), timing: DEFAULT_TIMING },
      onEffect: () => {},
      onState: () => {},
    },
    stop.signal,
  );
  const gaps = () => tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  return { clock, stop, tries, gaps, versions, ended };
}

/** A watch on which nothing happens until it is aborted. */
async function* quiet(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  yield* [];
}

const fail = (error: Error) => (): never => {
  throw error;
};

describe("reflector", () => {
  it("waits longer from failure to failure, up to 30 s", async () => {
    const { clock, gaps, stop, ended } = start({ list: fail(new Error("down")) });
    await clock.advance(120_000);
    expect(gaps().slice(0, 8)).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    stop.abort();
    await ended;
    expect(clock.pending).toBe(0);
  });

  it("waits as long as the server asked", async () => {
    const { clock, gaps } = start({ watch: fail(new ApiError("watch", 429, {}, 7000)) });
    await clock.advance(20_000);
    expect(gaps()).toEqual([7000, 7000]);
  });

  it("counts anew after two good minutes", async () => {
    let broken = true;
    const { clock, gaps, tries } = start({
      async *watch() {
        if (broken) throw new Error("reset");
        await new Promise<void>((resolve) => clock.setTimer(150_000, resolve));
        broken = true;
        yield { type: "BOOKMARK", resourceVersion: "2" };
      },
    });
    await clock.advance(800 + 1600);
    broken = false;
    await clock.advance(3200);
    expect(gaps()).toEqual([800, 1600, 3200]);
    await clock.advance(150_000);
    const resumedAt = tries.length;
    await clock.advance(5_000);
    expect(gaps().slice(resumedAt - 1, resumedAt + 1)).toEqual([800, 1600]);
  });

  it("does not spin on a server that ends every watch at once", async () => {
    const { clock, tries } = start({
      async *watch() {
        yield* [];
      },
    });
    await clock.advance(60_000);
    expect(tries.length).toBeLessThan(10);
  });

  it("takes a watch for dead after three minutes without a sign", async () => {
    const { clock, versions } = start({});
    await clock.advance(179_999);
    expect(versions).toHaveLength(1);
    await clock.advance(1000);
    expect(versions).toHaveLength(2);
  });
});
