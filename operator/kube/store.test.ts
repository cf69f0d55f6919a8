import { describe, expect, it } from "vitest";
import type { KubeObject } from "./object.ts";
import { ownersOf } from "./object.ts";
import { createStore } from "./store.ts";

interface Thing extends KubeObject {
  readonly color?: string;
}
const thing = (
  name: string,
  resourceVersion: string,
  extra: Partial<Thing> = {},
  uid = `uid-${name}`,
): Thing => ({
  metadata: { name, namespace: "ns", uid, resourceVersion, labels: { app: name } },
  ...extra,
});
const names = (changes: readonly { kind: string; object: KubeObject }[]): string[] =>
  changes.map(({ kind, object }) => `${kind} ${object.metadata.name} ${object.metadata.uid}`);

describe("store", () => {
  it("takes a changed uid under the same name as a deletion and an addition", () => {
    const store = createStore<Thing>();
    store.set(thing("a", "1", {}, "old"));
    expect(names(store.set(thing("a", "2", {}, "new")))).toEqual(["deleted a old", "added a new"]);
    expect(names([...store.replace([thing("a", "3", {}, "newer")])])).toEqual([
      "deleted a new",
      "added a newer",
    ]);
  });

  it("ignores the deletion of an object that is not the one it holds", () => {
    const store = createStore<Thing>();
    store.set(thing("a", "5", {}, "new"));
    expect(store.remove(thing("a", "4", {}, "old"))).toEqual([]);
    expect(store.size).toBe(1);
  });

  it("tells nothing when a list brings what it holds already", () => {
    const store = createStore<Thing>();
    store.set(thing("a", "1"));
    expect([...store.replace([thing("a", "1")])]).toEqual([]);
  });

  it("replaces one namespace and leaves the others alone", () => {
    const store = createStore<Thing>();
    store.set(thing("a", "1"));
    store.set({ metadata: { name: "b", namespace: "other", uid: "b", resourceVersion: "1" } });
    expect(names([...store.replace([], "ns")])).toEqual(["deleted a uid-a"]);
    expect(store.list().map((object) => object.metadata.name)).toEqual(["b"]);
    expect(store.list("ns")).toEqual([]);
  });

  it("hands out frozen objects", () => {
    const store = createStore<Thing>();
    store.set(thing("a", "1"));
    const held = store.get("ns", "a") as unknown as { metadata: { labels: Record<string, string> } };
    expect(() => {
      held.metadata.labels.app = "other";
    }).toThrow(TypeError);
  });

  it("finds objects by index, also after they changed or went", () => {
    const store = createStore<Thing>({ color: ({ color }) => (color === undefined ? [] : [color]) });
    store.set(thing("a", "1", { color: "red" }));
    store.set(thing("b", "2", { color: "red" }));
    expect(store.byIndex("color", "red")).toHaveLength(2);
    store.set(thing("a", "3", { color: "blue" }));
    expect(store.byIndex("color", "red").map((object) => object.metadata.name)).toEqual(["b"]);
    store.remove(thing("b", "4", { color: "red" }));
    expect(store.byIndex("color", "red")).toEqual([]);
    expect(store.byIndex("color", "blue")).toHaveLength(1);
    expect(() => store.byIndex("colour", "blue")).toThrow('no index "colour"');
  });

  it("can index by owner", () => {
    const store = createStore<Thing>({ owner: (object) => ownersOf(object).map((owner) => owner.uid) });
    const ownerReferences = [{ apiVersion: "v1", kind: "X", name: "x", uid: "x-uid", controller: true }];
    const { metadata } = thing("a", "1");
    store.set({ metadata: { ...metadata, ownerReferences } as Thing["metadata"] });
    expect(store.byIndex("owner", "x-uid")).toHaveLength(1);
  });
});
