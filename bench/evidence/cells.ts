import type { Disturbance } from "./product.ts";
import type { World } from "./world.ts";

/** What the issue or a reader expects of a cell. */
export interface Target {
  readonly level: number;
  /** Least share of runs in which the canary is found. */
  readonly found: number;
  /** Latest median minute. */
  readonly minute: number;
}

export interface Cell {
  /** Nothing to be found, something to be found, or something that must not be promoted. */
  readonly kind: "same" | "worse" | "promotion";
  readonly title: string;
  readonly world: World;
  readonly rollbackAbove: number;
  readonly disturbance?: Disturbance;
  readonly targets?: readonly Target[];
  /** Simulated a second time, by other code (requests.ts). */
  readonly again?: true;
}

export const LEVELS = [0.05, 0.01] as const;
/** Promotion is asked for at this margin in every cell. */
export const PROMOTE_BELOW = 0.01;

const STABLE = 0.01;
const DISPERSIONS = [0, 0.003, 0.01] as const;

const same = (title: string, world: Partial<World>, disturbance?: Disturbance): Cell => ({
  kind: "same",
  title,
  world: { stableRate: STABLE, canaryRate: STABLE, dispersion: 0, ...world },
  rollbackAbove: 0,
  ...(disturbance === undefined ? {} : { disturbance }),
});

const SAME: Cell[] = [
  ...DISPERSIONS.map((dispersion) => same(`dispersion ${dispersion}`, { dispersion })),
  ...[0.5, 0.8].flatMap((autocorrelation) =>
    [0.003, 0.01].map((dispersion) =>
      same(`dispersion ${dispersion}, AR(1) ${autocorrelation}`, { dispersion, autocorrelation }),
    ),
  ),
  same("dispersion 0.003, both rates in a wave of 50%", { dispersion: 0.003, rateWave: 0.5 }),
  same("dispersion 0.003, pods restart", { dispersion: 0.003 }, "PodRestarts"),
  same("dispersion 0.003, the operator restarts", { dispersion: 0.003 }, "OperatorRestarts"),
  ...DISPERSIONS.map(
    (dispersion): Cell => ({
      ...same(`dispersion ${dispersion}, exactly rollbackAbove (0.1 points) worse`, {
        dispersion,
        canaryRate: STABLE + 0.001,
      }),
      rollbackAbove: 0.001,
    }),
  ),
];

const TARGETS: Record<string, readonly Target[]> = {
  "0 2": [{ level: 0.05, found: 0.99, minute: 24 }],
  "0 3": [{ level: 0.05, found: 0.99, minute: 11 }],
  "0 5": [{ level: 0.05, found: 0.99, minute: 5 }],
  "0 10": [{ level: 0.05, found: 0.99, minute: 2 }],
  "0.1 2": [
    { level: 0.05, found: 0.95, minute: 27 },
    { level: 0.01, found: 0.9, minute: 34 },
  ],
  "0.1 3": [
    { level: 0.05, found: 0.95, minute: 12 },
    { level: 0.01, found: 0.9, minute: 16 },
  ],
  "0.1 5": [
    { level: 0.05, found: 0.95, minute: 5 },
    { level: 0.01, found: 0.9, minute: 7 },
  ],
  "0.5 3": [{ level: 0.05, found: 0.99, minute: 20 }],
};

const worse = (points: number, percent: number, dispersion: number): Cell => {
  const targets = dispersion === 0 ? TARGETS[`${points} ${percent}`] : undefined;
  return {
    kind: "worse",
    title: `canary ${percent}%, dispersion ${dispersion}`,
    world: { stableRate: STABLE, canaryRate: percent / 100, dispersion },
    rollbackAbove: points / 100,
    ...(targets === undefined ? {} : { targets }),
  };
};

const WORSE: Cell[] = [
  ...DISPERSIONS.flatMap((dispersion) => [1.5, 2, 3, 5, 10].map((percent) => worse(0, percent, dispersion))),
  ...DISPERSIONS.flatMap((dispersion) => [2, 3, 5].map((percent) => worse(0.1, percent, dispersion))),
  ...DISPERSIONS.flatMap((dispersion) => [2, 3, 5].map((percent) => worse(0.5, percent, dispersion))),
  {
    kind: "worse",
    title: "canary 5% from minute 30 on, dispersion 0",
    world: { stableRate: STABLE, canaryRate: 0.05, dispersion: 0, worseFrom: 30 },
    rollbackAbove: 0,
  },
];

const promotion = (title: string, world: Partial<World>): Cell => ({
  kind: "promotion",
  title,
  world: { stableRate: STABLE, canaryRate: STABLE + PROMOTE_BELOW, dispersion: 0, ...world },
  rollbackAbove: 0.001,
});

const PROMOTION: Cell[] = [
  ...DISPERSIONS.map((dispersion) =>
    promotion(`exactly promoteBelow worse, dispersion ${dispersion}`, { dispersion }),
  ),
  promotion("exactly promoteBelow worse, dispersion 0.003, AR(1) 0.5", {
    dispersion: 0.003,
    autocorrelation: 0.5,
  }),
  promotion("exactly promoteBelow worse, dispersion 0.01, AR(1) 0.8", {
    dispersion: 0.01,
    autocorrelation: 0.8,
  }),
  ...DISPERSIONS.map((dispersion) =>
    promotion(`the same version, dispersion ${dispersion}`, { dispersion, canaryRate: STABLE }),
  ),
];

/** Worlds that the second simulation has too: every one with a required figure, and some of what must not be found. */
const isAgain = ({ kind, world, disturbance, targets }: Cell): boolean =>
  targets !== undefined ||
  (kind !== "worse" &&
    disturbance === undefined &&
    world.rateWave === undefined &&
    world.autocorrelation === undefined &&
    world.canaryRate >= world.stableRate &&
    !(kind === "promotion" && world.canaryRate === world.stableRate));

export const CELLS: readonly Cell[] = [...SAME, ...WORSE, ...PROMOTION].map((cell) =>
  isAgain(cell) ? { ...cell, again: true } : cell,
);
