import { describe, expect, it } from "vitest";
import { ApiError } from "./errors.ts";
import type { KubeObject } from "./object.ts";
import {
  BehindError,
  type ReflectorInput,
  type ReflectorState,
  SilenceError,
  type Step,
  type Streaming,
  startListing,
  step,
  type Watching,
} from "./reflector-state.ts";
import type { WatchEvent } from "./watch-event.ts";

const object = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, namespace: "ns", uid: `uid-${name}`, resourceVersion },
});
const gone = new ApiError("list pods", 410, { code: 410, reason: "Expired" });
const busy = new ApiError("watch pods", 429, { code: 429 });
const down = new ApiError("watch pods", 503, { code: 503 });
const refused = new ApiError("watch pods", 400, { code: 400, reason: "BadRequest" });
const ahead = new ApiError("watch pods", 504, {
  reason: "Timeout",
  details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
});
const forbidden = new ApiError("watch pods", 403, { code: 403, reason: "Forbidden" });
const noStreams = new ApiError("watch pods", 422, { code: 422, reason: "Invalid" });
const watching: Watching = { phase: "watching", resourceVersion: "10", mode: "Stream" };
const failed = (error: unknown): ReflectorInput<KubeObject> => ({ kind: "failed", error });

describe("listing", () => {
  it("shows nothing before the last page, then everything at once", () => {
    const first = step(startListing<KubeObject>("start", "Pages"), {
      kind: "page",
      page: { items: [object("a", "1")], resourceVersion: "7", continueToken: "more" },
    });
    expect(first.effect).toBeUndefined();
    expect(first.state).toMatchObject({ phase: "listing", continueToken: "more" });
    const last = step(first.state, {
      kind: "page",
      page: { items: [object("b", "2")], resourceVersion: "7", continueToken: undefined },
    });
    expect(last.state).toEqual({ phase: "watching", resourceVersion: "7", mode: "Pages" });
    expect(last.effect).toMatchObject({ kind: "replace", resourceVersion: "7" });
    expect(last.effect?.kind === "replace" && last.effect.items.map((item) => item.metadata.name)).toEqual([
      "a",
      "b",
    ]);
  });

  const halfWay: ReflectorState<KubeObject> = {
    phase: "listing",
    reason: "start",
    mode: "Pages",
    items: [object("a", "1")],
    continueToken: "more",
  };

  it("goes on with the same page after a failure that passes", () => {
    expect(step(halfWay, failed(down)).state).toEqual({ phase: "waiting", next: halfWay });
  });

  it("starts over when the continue token has expired", () => {
    expect(step(halfWay, failed(gone)).state).toEqual({
      phase: "waiting",
      next: startListing("start", "Pages"),
    });
  });

  it("streams the next list where only this one was to be read by pages", () => {
    const once: ReflectorState<KubeObject> = { ...halfWay, mode: "Stream" };
    const last = step(once, {
      kind: "page",
      page: { items: [], resourceVersion: "7", continueToken: undefined },
    });
    expect(step(last.state, failed(gone)).state).toEqual({
      phase: "waiting",
      next: startListing("expired", "Stream"),
    });
  });
});

describe("streaming", () => {
  const streaming = startListing<KubeObject>("expired", "Stream") as Streaming<KubeObject>;
  const told = (...events: WatchEvent<KubeObject>[]) =>
    events.reduce<Step<KubeObject>>(({ state }, event) => step(state, { kind: "event", event }), {
      state: streaming,
    });
  const end: WatchEvent<KubeObject> = { type: "BOOKMARK", resourceVersion: "7", initialEventsEnd: true };
  const [a, b] = [object("a", "1"), object("b", "2")];

  it("shows nothing before the end, then everything at once, and goes on with the same watch", () => {
    const before = told({ type: "ADDED", object: a }, { type: "ADDED", object: b });
    expect(before.effect).toBeUndefined();
    expect(before.state.phase).toBe("streaming");
    expect(step(before.state, { kind: "event", event: end })).toEqual({
      state: { phase: "watching", resourceVersion: "7", mode: "Stream" },
      effect: { kind: "replace", items: [a, b], resourceVersion: "7" },
    });
  });

  it("takes in what changes before the end", () => {
    const newer = object("b", "3");
    const { effect } = told(
      { type: "ADDED", object: a },
      { type: "ADDED", object: b },
      { type: "MODIFIED", object: newer },
      { type: "DELETED", object: a },
      end,
    );
    expect(effect).toMatchObject({ kind: "replace", items: [newer] });
  });

  const halfWay = told({ type: "ADDED", object: a }).state;
  const inStream = (status: object): ReflectorInput<KubeObject> => ({
    kind: "event",
    event: { type: "ERROR", status },
  });

  it.each([
    ["a broken connection", failed(new Error("other side closed"))],
    ["429", failed(busy)],
    ["410 as HTTP status", failed(gone)],
    ["410 inside the stream", inStream({ code: 410, reason: "Expired" })],
    ["an end in order", { kind: "ended", quick: false }],
    ["an end at once", { kind: "ended", quick: true }],
  ] as [string, ReflectorInput<KubeObject>][])(
    "starts anew after %s, and forgets what it had",
    (_, input) => {
      expect(step(halfWay, input).state).toEqual({ phase: "waiting", next: streaming });
    },
  );

  it.each([
    ["503", failed(down)],
    ["a missing right", failed(forbidden)],
    ["a cache that lags behind", failed(ahead)],
    ["a store that cannot stream", inStream({ code: 500, reason: "InternalError" })],
  ])("reads this once by pages after %s", (_, input) => {
    const next = { ...startListing("expired", "Pages"), mode: "Stream" };
    expect(step(halfWay, input).state).toEqual({ phase: "waiting", next });
  });

  it.each([
    ["a server that refuses it", failed(noStreams)],
    ["a server that does not know it", failed(refused)],
    ["a list that does not end", failed(new SilenceError("the end was not heard"))],
    ["a bookmark of a plain watch", { kind: "event", event: { ...end, initialEventsEnd: false } }],
  ] as [string, ReflectorInput<KubeObject>][])("reads by pages from now on after %s", (_, input) => {
    const pages = step(halfWay, input).state;
    expect(pages).toEqual(startListing("expired", "Pages"));
    const page = { items: [a], resourceVersion: "7", continueToken: undefined };
    const after = step(pages, { kind: "page", page }).state;
    expect(step(after, failed(gone)).state).toEqual({
      phase: "waiting",
      next: startListing("expired", "Pages"),
    });
  });
});

describe("watching", () => {
  it("moves on with each object and says what the store has to do", () => {
    const added = object("a", "11");
    expect(step(watching, { kind: "event", event: { type: "ADDED", object: added } })).toEqual({
      state: { ...watching, resourceVersion: "11" },
      effect: { kind: "set", object: added },
    });
    expect(step(watching, { kind: "event", event: { type: "DELETED", object: added } }).effect?.kind).toBe(
      "remove",
    );
  });

  it("moves on with a bookmark", () => {
    const event = { type: "BOOKMARK", resourceVersion: "15", initialEventsEnd: false } as const;
    expect(step(watching, { kind: "event", event })).toEqual({
      state: { ...watching, resourceVersion: "15" },
      effect: { kind: "reached", resourceVersion: "15" },
    });
  });

  it.each([
    ["connection reset", new Error("other side closed")],
    ["429", busy],
    ["503", down],
    ["a token that has run out", new ApiError("watch pods", 401, { code: 401, reason: "Unauthorized" })],
  ])("resumes from the last version after %s", (_, error) => {
    expect(step(watching, failed(error)).state).toEqual({ phase: "waiting", next: watching });
  });

  it.each([
    ["410 as HTTP status", failed(gone), "expired"],
    [
      "410 inside the stream",
      { kind: "event", event: { type: "ERROR", status: { code: 410, reason: "Gone" } } },
      "expired",
    ],
    [
      "reason Expired with another code",
      { kind: "event", event: { type: "ERROR", status: { code: 500, reason: "Expired" } } },
      "expired",
    ],
    ["a version the server does not know", failed(ahead), "rejected"],
    ["a refused request", failed(refused), "rejected"],
    ["a missing right to watch", failed(forbidden), "rejected"],
    ["silence", failed(new SilenceError("nothing was heard")), "silent"],
  ] as [string, ReflectorInput<KubeObject>, "expired" | "rejected" | "silent"][])(
    "lists again after %s",
    (_, input, reason) => {
      for (const mode of ["Stream", "Pages"] as const) {
        const next = startListing(reason, mode);
        expect(step({ ...watching, mode }, input).state).toEqual({ phase: "waiting", next });
      }
    },
  );

  it("lists by pages, this once, where it is known to be behind", () => {
    const next = { ...startListing("behind", "Pages"), mode: "Stream" };
    expect(step(watching, failed(new BehindError("known"))).state).toEqual({ phase: "waiting", next });
  });

  it("resumes at once after an orderly end, unless that came at once", () => {
    expect(step(watching, { kind: "ended", quick: false }).state).toEqual(watching);
    expect(step(watching, { kind: "ended", quick: true }).state).toEqual({
      phase: "waiting",
      next: watching,
    });
  });

  it("resumes after an ERROR event that is not about history", () => {
    const event = { type: "ERROR", status: { code: 500, reason: "InternalError" } } as const;
    expect(step(watching, { kind: "event", event }).state).toEqual({ phase: "waiting", next: watching });
  });
});

describe("waiting", () => {
  it("goes on where it stood", () => {
    expect(step({ phase: "waiting", next: watching }, { kind: "waited" }).state).toEqual(watching);
  });

  it("refuses inputs it cannot get", () => {
    expect(() => step({ phase: "waiting", next: watching }, { kind: "ended", quick: false })).toThrow(
      "waiting cannot take the input ended",
    );
  });
});
