import { describe, expect, it } from "vitest";
import type { KubeClient, Page } from "./client.ts";
import { ApiError } from "./errors.ts";
import { silentLog } from "./log.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { DEFAULT_TIMING, runReflector } from "./reflector.ts";
import type { ListMode } from "./reflector-state.ts";
import { resources } from "./resources.ts";
import { createVirtualClock } from "./virtual-clock.ts";
import type { WatchEvent } from "./watch-event.ts";

const page: Page<KubeObject> = { items: [], resourceVersion: "1", continueToken: undefined };

/** Only the times between tries are of interest here; what a real server does is in informer.server.test.ts. */
function start(
  answers: {
    list?: () => Page<KubeObject>;
    watch?: () => AsyncIterable<WatchEvent<KubeObject>>;
    stream?: () => AsyncIterable<WatchEvent<KubeObject>>;
  },
  listing: ListMode = "Pages",
) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const tries: number[] = [];
  const asked: string[] = [];
  const effects: string[] = [];
  const metrics = createKubeMetrics();
  const client = {
    async listPage() {
      asked.push("pages");
      if (answers.list) tries.push(clock.monotonic());
      return answers.list?.() ?? page;
    },
    async watch(
      _: unknown,
      options: { resourceVersion?: string; initialEvents?: true; signal: AbortSignal },
    ) {
      asked.push(options.initialEvents ? "stream" : `from ${options.resourceVersion}`);
      if (options.initialEvents && answers.stream) {
        tries.push(clock.monotonic());
        return untilAborted(answers.stream(), options.signal);
      }
      if (answers.watch) tries.push(clock.monotonic());
      if (answers.watch) return answers.watch();
      return quiet(options.signal);
    },
  } as Partial<KubeClient> as KubeClient;
  const ended = runReflector<KubeObject>(
    {
      ...{ client, resource: resources.pods, selection: {}, transform: (object) => object },
      ...{ clock, random: () => 1, log: silentLog, metrics, timing: DEFAULT_TIMING },
      listing,
      onEffect: (effect) => void effects.push(effect.kind),
      onState: () => {},
    },
    stop.signal,
  );
  const gaps = () => tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  return { clock, stop, tries, gaps, asked, effects, metrics, ended };
}

/** A watch on which nothing happens until it is aborted. */
async function* quiet(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  yield* [];
}

/** The events, and then nothing until it is aborted. */
async function* untilAborted(
  events: AsyncIterable<WatchEvent<KubeObject>>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<KubeObject>> {
  const aborted = quiet(signal).next();
  aborted.catch(() => {});
  const iterator = events[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done) return;
    yield next.value;
  }
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

  it("waits a minute where the server asked for an hour", async () => {
    const { clock, gaps } = start({ watch: fail(new ApiError("watch", 503, {}, 3_600_000)) });
    await clock.advance(150_000);
    expect(gaps()).toEqual([60_000, 60_000]);
  });

  it("counts anew after two good minutes", async () => {
    let broken = true;
    const { clock, gaps, tries } = start({
      async *watch() {
        if (broken) throw new Error("reset");
        await new Promise<void>((resolve) => clock.setTimer(150_000, resolve));
        broken = true;
        yield { type: "BOOKMARK", resourceVersion: "2", initialEventsEnd: false };
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
    const { clock, asked } = start({});
    await clock.advance(179_999);
    expect(asked).toEqual(["pages", "from 1"]);
    await clock.advance(1000);
    expect(asked).toEqual(["pages", "from 1", "pages", "from 1"]);
  });
});

describe("a reflector that streams its lists", () => {
  const added: WatchEvent<KubeObject> = {
    type: "ADDED",
    object: { metadata: { name: "a", uid: "a", resourceVersion: "1" } },
  };
  const bookmark = (initialEventsEnd: boolean): WatchEvent<KubeObject> => ({
    type: "BOOKMARK",
    resourceVersion: "5",
    initialEventsEnd,
  });

  it("goes on with the watch that brought the list, and from its version when that ends", async () => {
    const { clock, asked, effects } = start(
      {
        async *stream() {
          yield* [added, bookmark(true), added];
        },
      },
      "Stream",
    );
    await clock.advance(1000);
    expect(effects).toEqual(["replace", "set"]);
    expect(asked).toEqual(["stream", "from 1"]);
  });

  it("waits longer from one to the next that ends before its list is whole", async () => {
    const { clock, gaps, effects } = start(
      {
        async *stream() {
          yield added;
        },
      },
      "Stream",
    );
    await clock.advance(20_000);
    expect(gaps().slice(0, 4)).toEqual([800, 1600, 3200, 6400]);
    expect(effects).toEqual([]);
  });

  it("waits as long as a failure that comes in the stream asks", async () => {
    const status = { code: 429, details: { retryAfterSeconds: 7 } };
    const { clock, gaps } = start(
      {
        async *stream() {
          yield { type: "ERROR", status } as const;
        },
      },
      "Stream",
    );
    await clock.advance(15_000);
    expect(gaps()).toEqual([7_000, 7_000]);
  });

  it.each([
    ["refuses it", fail(new ApiError("watch", 422, { code: 422, reason: "Invalid" }))],
    [
      "tells in the stream that it refuses it",
      async function* () {
        yield { type: "ERROR", status: { code: 400 } } as const;
      },
    ],
    [
      "takes it for a plain watch",
      async function* () {
        yield* [added, bookmark(false)];
      },
    ],
  ])(
    "reads by pages at once where the server %s, counts that as one list, and does not ask again",
    async (_, stream) => {
      const { clock, asked, metrics } = start({ stream }, "Stream");
      await clock.advance(0);
      expect(asked).toEqual(["stream", "pages", "from 1"]);
      expect((await metrics.relists.get()).values.map(({ value }) => value)).toEqual([1]);
      await clock.advance(181_000);
      expect(asked.slice(3)).toEqual(["pages", "from 1"]);
    },
  );

  it("reads by pages after three minutes without the end, whatever else comes", async () => {
    const { clock, asked } = start(
      {
        async *stream() {
          for (;;) {
            await new Promise<void>((resolve) => clock.setTimer(50_000, resolve));
            yield added;
          }
        },
      },
      "Stream",
    );
    await clock.advance(179_999);
    expect(asked).toEqual(["stream"]);
    await clock.advance(1);
    expect(asked).toEqual(["stream", "pages", "from 1"]);
  });

  it("does not spin where it may not watch", async () => {
    const forbidden = fail(new ApiError("watch", 403, { code: 403, reason: "Forbidden" }));
    const { clock, asked, stop, ended } = start({ stream: forbidden, watch: forbidden }, "Stream");
    await clock.advance(120_000);
    expect(asked.slice(0, 5)).toEqual(["stream", "pages", "from 1", "stream", "pages"]);
    expect(asked.length).toBeLessThan(15);
    stop.abort();
    await ended;
    expect(clock.pending).toBe(0);
  });
});
