import { describe, expect, it } from "vitest";
import { createSharing } from "./sharing.ts";

describe("sharing", () => {
  const labels = (name: string) => ({ "app.kubernetes.io/name": "llmbridge", bridge: name });
  const child = (name: string, bridge: string) => ({
    metadata: { name, labels: labels(bridge), owners: [{ name: bridge, controller: true }] },
    spec: { ports: [{ port: 80 }, { port: 9464 }], empty: {}, none: null, share: 0.5 },
  });

  it("makes equal parts of two objects one, and changes nothing in what they say", () => {
    const share = createSharing();
    const [one, two] = [share(child("a", "chat")), share(child("b", "chat"))];
    expect(one).toEqual(child("a", "chat"));
    expect(two).toEqual(child("b", "chat"));
    expect(JSON.stringify(two)).toBe(JSON.stringify(child("b", "chat")));
    expect(two.spec).toBe(one.spec);
    expect(two.metadata.labels).toBe(one.metadata.labels);
    expect(two.metadata.owners).toBe(one.metadata.owners);
  });

  it("keeps apart what differs: in a value, a name, the order of members, or between a list and an object", () => {
    const share = createSharing(1);
    const distinct: unknown[] = [
      ...[{ a: 1 }, { b: 1 }, { a: 2 }, { a: "1" }, { a: 1, b: 2 }, { b: 2, a: 1 }],
      ...[[], {}, [1], { 0: 1 }, [null], [true], [false], { a: undefined }, { a: -0 }, { a: 0 }],
    ];
    const shared = distinct.map((value) => share({ value }).value);
    expect(new Set(shared).size).toBe(distinct.length);
    expect(shared.map((value) => JSON.stringify(value))).toEqual(
      distinct.map((value) => JSON.stringify(value)),
    );
  });

  it("takes what others have frozen as it is", () => {
    const share = createSharing();
    const frozen = Object.freeze({ metadata: { labels: labels("chat") } });
    expect(share({ frozen }).frozen).toBe(frozen);
    expect(share(frozen)).toBe(frozen);
  });

  it("gives back what was frozen after it was shared", () => {
    const share = createSharing();
    const first = Object.freeze(share({ bridge: "chat" }));
    expect(share({ bridge: "chat" })).toBe(first);
  });

  it("remembers no large part", () => {
    const share = createSharing();
    const large = () => ({ parts: Array.from({ length: 100 }, (_, index) => ({ index })) });
    const [one, two] = [share(large()), share(large())];
    expect(two.parts).not.toBe(one.parts);
    expect(two.parts[7]).toBe(one.parts[7]);
  });
});
