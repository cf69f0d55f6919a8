import { describe, expect, it } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import type { Change } from "../kube/store.ts";
import type { Caches } from "./caches.ts";
import { CHILD_KINDS } from "./plan.ts";
import { connectTriggers } from "./triggers.ts";

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
  } as unknown as Caches;
  const asked: (string | undefined)[] = [];
  connectTriggers(caches, (_, { priority }) => asked.push(priority));
  for (const change of changes) tell(change);
  return asked;
}

const bridge = (generation: number) =>
  ({ metadata: { name: "chat", namespace: "ai", uid: "u", generation } }) as unknown as KubeObject;

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

  it("asks for nothing where only its status changed", () => {
    const object = bridge(1);
    expect(prioritiesOf({ kind: "updated", object, previous: bridge(1), initial: false })).toEqual([]);
  });
});
