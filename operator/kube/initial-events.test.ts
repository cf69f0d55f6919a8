import { describe, expect, it } from "vitest";
import { type InitialEvents, objectsOf } from "./initial-events.ts";
import type { KubeObject } from "./object.ts";
import type { ObjectEvent } from "./watch-event.ts";

const event = (type: ObjectEvent<KubeObject>["type"], name: string, uid = name): ObjectEvent<KubeObject> => ({
  type,
  object: { metadata: { name, namespace: "ns", uid, resourceVersion: "1" } },
});
const shownBy = (...events: ObjectEvent<KubeObject>[]) =>
  objectsOf(
    events.reduce<InitialEvents<KubeObject> | undefined>((before, newest) => ({ newest, before }), undefined),
  ).map(({ metadata }) => metadata.uid);

describe("objectsOf", () => {
  it.each([
    ["nothing", [], []],
    ["objects, in their order", [event("ADDED", "a"), event("ADDED", "b")], ["a", "b"]],
    [
      "the last state of one that changed",
      [event("ADDED", "a", "old"), event("MODIFIED", "a", "new")],
      ["new"],
    ],
    [
      "nothing of one that was deleted",
      [event("ADDED", "a"), event("ADDED", "b"), event("DELETED", "a")],
      ["b"],
    ],
    [
      "one that was made again under its name",
      [event("ADDED", "a", "first"), event("DELETED", "a", "first"), event("ADDED", "a", "second")],
      ["second"],
    ],
    ["nothing of a deletion alone", [event("DELETED", "a")], []],
  ])("shows %s", (_, events, uids) => {
    expect(shownBy(...events)).toEqual(uids);
  });

  it("takes long lists", () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `item-${index}`);
    expect(shownBy(...names.map((name) => event("ADDED", name)))).toHaveLength(names.length);
  });
});
