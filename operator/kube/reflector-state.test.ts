import { describe, expect, it } from "vitest";
import { ApiError } from "./errors.ts";
import type { KubeObject } from "./object.ts";
import {
  type ReflectorInput,
  type ReflectorState,
  SilenceError,
  startListing,
  step,
} from "./reflector-state.ts";

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
const watching: ReflectorState<KubeObject> = { phase: "watching", resourceVersion: "10" };
const failed = (error: unknown): ReflectorInput<KubeObject> => ({ kind: "failed", error });

describe("listing", () => {
  it("shows nothing before the last page, then everything at once", () => {
    const first = step(startListing<KubeObject>("start"), {
      kind: "page",
      page: { items: [object("a", "1")], resourceVersion: "7", continueToken: "more" },
    });
    expect(first.effect).toBeUndefined();
    expect(first.state).toMatchObject({ phase: "listing", continueToken: "more" });
    const last = step(first.state, {
      kind: "page",
      page: { items: [object("b", "2")], resourceVersion: "7", continueToken: undefined },
    });
    expect(last.state).toEqual({ phase: "watching", resourceVersion: "7" });
    expect(last.effect).toMatchObject({ kind: "replace", resourceVersion: "7" });
    expect(last.effect?.kind === "replace" && last.effect.items.map((item) => item.metadata.name)).toEqual([
      "a",
      "b",
    ]);
  });

  const halfWay: ReflectorState<KubeObject> = {
    phase: "listing",
    reason: "start",
    items: [object("a", "1")],
    continueToken: "more",
  };

  it("goes on with the same page after a failure that passes", () => {
    expect(step(halfWay, failed(down)).state).toEqual({ phase: "waiting", next: halfWay });
  });

  it("starts over when the continue token has expired", () => {
    expect(step(halfWay, failed(gone)).state).toEqual({ phase: "waiting", next: startListing("start") });
  });
});

describe("watching", () => {
  it("moves on with each object and says what the store has to do", () => {
    const added = object("a", "11");
    expect(step(watching, { kind: "event", event: { type: "ADDED", object: added } })).toEqual({
      state: { phase: "watching", resourceVersion: "11" },
      effect: { kind: "set", object: added },
    });
    expect(step(watching, { kind: "event", event: { type: "DELETED", object: added } }).effect?.kind).toBe(
      "remove",
    );
  });

  it("moves on with a bookmark", () => {
    expect(step(watching, { kind: "event", event: { type: "BOOKMARK", resourceVersion: "15" } })).toEqual({
      state: { phase: "watching", resourceVersion: "15" },
      effect: { kind: "reached", resourceVersion: "15" },
    });
  });

  it.each([
    ["connection reset", new Error("other side closed")],
    ["429", busy],
    ["503", down],
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
    ["silence", failed(new SilenceError("nothing was heard")), "silent"],
  ] as [string, ReflectorInput<KubeObject>, "expired" | "rejected" | "silent"][])(
    "lists again after %s",
    (_, input, reason) => {
      expect(step(watching, input).state).toEqual({ phase: "waiting", next: startListing(reason) });
    },
  );

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
