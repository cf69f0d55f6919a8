import { describe, expect, it } from "vitest";
import { ANNOTATIONS } from "../names.ts";
import { World } from "../testing/world.ts";

const serving = (replicas: number): World => {
  const world = new World({
    ...{ image: "bridge:1", replicas, scaling: { mode: "Fixed" } },
    upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  });
  world.run("30s");
  expect(world.pods).toHaveLength(replicas);
  return world;
};
const scale = (world: World, replicas: number) => world.edit((spec) => ({ ...spec, replicas }));
const costs = (world: World) => world.pods.map(({ deletionCost }) => deletionCost).sort((a, b) => a - b);
const annotated = (world: World): string[] =>
  world.writes.flatMap((write) =>
    write.kind === "AnnotatePod" ? (write.annotations[ANNOTATIONS.deletionCost] ?? []) : [],
  );

describe("the pod that a smaller version loses", () => {
  it("carries the cost before the version is made smaller", () => {
    const world = serving(3);
    scale(world, 2);
    world.pass();
    expect([costs(world), [...world.deployments.values()].map(({ spec }) => spec.replicas)]).toEqual([
      [-1000, 0, 0],
      [3],
    ]);
    world.run("20s");
    expect([costs(world), annotated(world)]).toEqual([[0, 0], ["-1000"]]);
  });

  it("is spared where it was marked and nothing is made smaller, so that it is not taken hours later", () => {
    const world = serving(3);
    scale(world, 2);
    world.pass();
    scale(world, 3);
    world.run("30s");
    expect([costs(world), annotated(world)]).toEqual([
      [0, 0, 0],
      ["-1000", "0"],
    ]);
  });

  it("keeps the cost until the ReplicaSet has chosen", () => {
    const world = serving(3);
    scale(world, 2);
    world.pass();
    world.pass();
    expect([...world.deployments.values()].map(({ spec }) => spec.replicas)).toEqual([2]);
    world.pass();
    expect([costs(world), annotated(world)]).toEqual([[-1000, 0, 0], ["-1000"]]);
  });

  it("is another's business where a person set another cost", () => {
    const world = serving(3);
    const [pod, ...others] = world.pods;
    if (pod) world.pods = [{ ...pod, deletionCost: -5 }, ...others];
    world.run("30s");
    expect(annotated(world)).toEqual([]);
  });
});
