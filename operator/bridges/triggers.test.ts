import { describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { Informer } from "../kube/informer.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Change } from "../kube/store.ts";
import type { Caches } from "./caches.ts";
import { CHILD_KINDS } from "./plan.ts";
import { connectTriggers, watchOwned } from "./triggers.ts";

/** What each change of a bridge asks for. */
function prioritiesOf(...changes: readonly Change<KubeObject>[]): (string | undefined)[] {
  let tell: (change: Change<KubeObject>) => void = () => {};
  const quiet = { onChange: () => () => {} };
  const caches = {
    bridges: {
      onChange(handler: typeof tell) {
        tell = handler;
      },
    },
    children: Object.fromEntries(CHILD_KINDS.map((kind) => [kind, quiet])),
    pods: quiet,
    all: [],
  } as unknown as Caches;
  const asked: (string | undefined)[] = [];
  connectTriggers(caches, (_, { priority }) => asked.push(priority));
  for (const change of changes) tell(change);
  return asked;
}

const bridge = (generation: number) =>
  ({ metadata: { name: "chat", namespace: "ai", uid: "u", generation } }) as unknown as KubeObject;

describe("a right to read that is taken away, or given", () => {
  const named = (namespace: string): KubeObject => ({
    metadata: { name: "chat", namespace, uid: namespace, resourceVersion: "1" },
  });

  it.each([
    ["ai", ["ai"]],
    ["", ["ai", "web"]],
  ])("asks for a look at all that it concerns (%j)", (namespace, wanted) => {
    let tell: (namespace: string) => void = () => {};
    const quiet = { onChange: () => () => {} };
    const pods = {
      ...quiet,
      onRights(handler: typeof tell) {
        tell = handler;
      },
    };
    const caches = {
      bridges: { ...quiet, store: { list: () => ["ai", "web"].map(named) } },
      children: Object.fromEntries(CHILD_KINDS.map((kind) => [kind, quiet])),
      ...{ pods, all: [pods] },
    } as unknown as Caches;
    const asked: string[] = [];
    connectTriggers(caches, (key) => asked.push(key.namespace));
    tell(namespace);
    expect(asked).toEqual(wanted);
  });
});

describe("a change of a child", () => {
  const child = (bridge: string | undefined): KubeObject => ({
    metadata: {
      ...{ name: "chat-abc", namespace: "ai", uid: "c", resourceVersion: "1" },
      labels: bridge === undefined ? {} : { [LABELS.bridge]: bridge },
    },
  });

  it.each<[string, string | undefined, string | undefined, readonly string[]]>([
    ["is known for another's", "chat", "other", ["other", "chat"]],
    ["is known for nobody's", "chat", undefined, ["chat"]],
    ["is known for its own again", undefined, "chat", ["chat"]],
    ["says what it said", "chat", "chat", []],
  ])("asks for a look at whose it was and whose it is: it %s", (_, before, after, wanted) => {
    // What a bridge observes of it need not say whose it is.
    const facts = ({ metadata }: KubeObject) => metadata.name;
    let tell: (change: Change<KubeObject>) => void = () => {};
    const informer = {
      onChange(handler: typeof tell) {
        tell = handler;
        return () => {};
      },
    } as unknown as Informer<KubeObject>;
    const asked: string[] = [];
    watchOwned(informer, facts, ({ name }) => asked.push(name));
    tell({ kind: "updated", previous: child(before), object: child(after), initial: false });
    expect(asked).toEqual(wanted);
  });
});

describe("a change of a bridge", () => {
  it("is the more urgent the more serves already: thousands of new ones keep no edit waiting", () => {
    const [object, previous] = [bridge(2), bridge(1)];
    expect(
      prioritiesOf(
        { kind: "updated", object, previous, initial: false },
        { kind: "added", object, initial: false },
        { kind: "added", object, initial: true },
      ),
    ).toEqual(["user", "new", "resync"]);
  });

  it("that was made while no operator ran comes before the look at all others", () => {
    const command = JSON.stringify({ id: "now", action: "abort", revision: "abc" });
    const found = (metadata: object, status: object): Change<KubeObject> => {
      const { metadata: plain } = bridge(2);
      return {
        kind: "added",
        object: { metadata: { ...plain, ...metadata }, status } as KubeObject,
        initial: true,
      };
    };
    const annotations = { "llmbridge.dev/command": command };
    const answered = { observedGeneration: 2, command: { id: "now" } };
    const isFirst = prioritiesOf(
      found({}, { observedGeneration: 1 }),
      found({ deletionTimestamp: "2026-01-01T00:00:00Z" }, { observedGeneration: 2 }),
      found({ annotations }, { observedGeneration: 2 }),
      found({ annotations }, { observedGeneration: 2, command: { id: "before" } }),
    );
    const isNone = prioritiesOf(found({}, answered), found({ annotations }, answered), found({}, {}));
    expect([isFirst, isNone]).toEqual([Array(4).fill("user"), Array(3).fill("resync")]);
  });

  it("asks for nothing where only its status changed", () => {
    const object = bridge(1);
    expect(prioritiesOf({ kind: "updated", object, previous: bridge(1), initial: false })).toEqual([]);
  });
});
