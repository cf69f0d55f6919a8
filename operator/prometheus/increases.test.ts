import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { increases } from "./increases.ts";
import { type Target, targetsOf, withoutDuplicates } from "./pods.ts";
import type { Series } from "./response.ts";

const START = "process_start_time_seconds";
const LABELS = { namespace: "namespace", pod: "pod" };

function series(
  name: string,
  points: readonly (readonly [number, number])[],
  more: Record<string, string> = {},
): Series {
  return {
    labels: { __name__: name, pod: "a", revision: "new", instance: "1", ...more },
    samples: points.map(([atMs, value]) => ({ atMs, value })),
  };
}
function target(...all: Series[]): Target | undefined {
  return targetsOf(all, LABELS)[0];
}
function grown(inside: Target | undefined, before?: Target, newSinceMs = 0): [number, number][] {
  if (inside === undefined) throw new Error("no target");
  return increases(inside, before, { newSinceMs, startMetric: START }).map(({ atMs, amount }) => [
    atMs,
    amount,
  ]);
}

describe("increases", () => {
  it("is what samples differ by, from the last one before the window on", () => {
    const before = target(series("c", [[0, 10]]));
    expect(
      grown(
        target(
          series("c", [
            [5, 12],
            [10, 12],
            [15, 20],
          ]),
        ),
        before,
      ),
    ).toEqual([
      [5, 2],
      [15, 8],
    ]);
  });

  it("takes a lower value as a counter that began anew", () => {
    expect(
      grown(
        target(
          series("c", [
            [5, 12],
            [10, 3],
            [15, 4],
          ]),
        ),
        target(series("c", [[0, 10]])),
      ),
    ).toEqual([
      [5, 2],
      [10, 3],
      [15, 1],
    ]);
  });

  it("takes another start of the process as a reset, even where the value is higher", () => {
    const before = target(series("c", [[0, 10]]), series(START, [[0, 100]]));
    const inside = target(
      series("c", [
        [5, 12],
        [10, 15],
      ]),
      series(START, [
        [5, 100],
        [10, 200],
      ]),
    );
    expect(grown(inside, before)).toEqual([
      [5, 2],
      [10, 15],
    ]);
  });

  it("counts the first sample of a process in full that is new, and of no other", () => {
    const of = (startSeconds: number) =>
      target(
        series("c", [
          [5000, 7],
          [6000, 9],
        ]),
        series(START, [
          [5000, startSeconds],
          [6000, startSeconds],
        ]),
      );
    expect(grown(of(4), undefined, 3000)).toEqual([
      [5000, 7],
      [6000, 2],
    ]);
    expect(grown(of(2), undefined, 3000)).toEqual([[6000, 2]]);
    expect(
      grown(
        target(
          series("c", [
            [5000, 7],
            [6000, 9],
          ]),
        ),
        undefined,
        3000,
      ),
    ).toEqual([[6000, 2]]);
  });

  it("counts a series in full that appears in a process which was scraped before", () => {
    const late = series("c", [[10, 4]], { route: "chat" });
    expect(
      grown(
        target(
          series("other", [
            [5, 0],
            [10, 0],
          ]),
          late,
        ),
      ),
    ).toEqual([[10, 4]]);
    expect(grown(target(series("other", [[10, 0]]), late), target(series("other", [[0, 0]])))).toEqual([
      [10, 4],
    ]);
  });

  it("adds up to what was served, whatever the resets and wherever the window is cut", () => {
    const steps = fc.array(fc.record({ served: fc.integer({ min: 0, max: 50 }), restart: fc.boolean() }), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, fc.nat(), (history, cutAt) => {
        let value = 0;
        let start = 0;
        let total = 0;
        const points: [number, number][] = [];
        const starts: [number, number][] = [];
        for (const [index, { served, restart }] of history.entries()) {
          if (restart) [value, start] = [0, index + 1];
          value += served;
          total += served;
          points.push([index * 10, value]);
          starts.push([index * 10, start]);
        }
        const cut = (cutAt % history.length) * 10;
        const part = (own: (atMs: number) => boolean) =>
          target(
            series(
              "c",
              points.filter(([atMs]) => own(atMs)),
            ),
            series(
              START,
              starts.filter(([atMs]) => own(atMs)),
            ),
          );
        const first = part((atMs) => atMs <= cut);
        const last = target(
          series(
            "c",
            points.filter(([atMs]) => atMs === cut),
          ),
          series(
            START,
            starts.filter(([atMs]) => atMs === cut),
          ),
        );
        const rest = part((atMs) => atMs > cut);
        const sum = (some: [number, number][]) => some.reduce((all, [, amount]) => all + amount, 0);
        const later = rest?.series[0]?.samples.length ? sum(grown(rest, last)) : 0;
        expect(sum(grown(first, undefined, 0)) + later).toBe(total);
      }),
    );
  });
});

describe("withoutDuplicates", () => {
  const of = (instance: string, points: [number, number][], pod = "a") =>
    targetsOf([series("c", points, { instance, pod })], LABELS)[0] as Target;

  it("keeps the fuller one of two targets of a pod that overlap, the same one every time", () => {
    const [full, sparse] = [
      of("1", [
        [0, 1],
        [5, 1],
        [10, 1],
      ]),
      of("0", [
        [1, 1],
        [9, 1],
      ]),
    ];
    expect(withoutDuplicates([full, sparse])).toEqual([full]);
    expect(withoutDuplicates([sparse, full])).toEqual([full]);
    const even = of("0", [
      [1, 1],
      [5, 1],
      [9, 1],
    ]);
    expect(withoutDuplicates([full, even])).toEqual(withoutDuplicates([even, full]));
  });

  it("keeps targets that follow each other, and those of other pods", () => {
    const all = [
      of("1", [
        [0, 1],
        [5, 1],
      ]),
      of("2", [[6, 1]]),
      of(
        "3",
        [
          [0, 1],
          [9, 1],
        ],
        "b",
      ),
    ];
    expect(withoutDuplicates(all)).toHaveLength(3);
  });

  it("leaves out series without a pod or a revision", () => {
    expect(
      targetsOf(
        [
          { labels: { __name__: "c", pod: "a" }, samples: [] },
          { labels: { revision: "new" }, samples: [] },
        ],
        LABELS,
      ),
    ).toEqual([]);
  });
});
