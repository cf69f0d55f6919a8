import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { ServerProcess } from "../servers/process.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { run } from "./explore.ts";
import { two } from "./exploring/leaders.ts";
import { type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { IMAGES } from "./story.ts";

/** A run of an exploration that fails must not disturb those beside it and after it. */

let plane: ControlPlane;
let program: OperatorProgram;
beforeAll(async () => {
  [plane, program] = await Promise.all([startControlPlane(), operatorProgram()]);
});
afterAll(async () => {
  await plane?.down();
  program?.remove();
});

/** The same, and what it started. */
function counted(from: OperatorProgram, most = Number.POSITIVE_INFINITY) {
  const started: ServerProcess[] = [];
  const start: OperatorProgram["start"] = async (options) => {
    if (started.length === most) throw new Error("no more of them");
    const process = await from.start(options);
    started.push(process);
    return process;
  };
  return { program: { ...from, start }, started };
}

const isRunning = ({ exited }: ServerProcess): Promise<boolean> =>
  Promise.race([exited.then(() => false), setImmediate(true)]);

it("a story that fails ends its operator and the watches that record it", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const watch: KubeClient["watch"] = (resource, options) => {
    signals.push(options?.signal);
    return plane.client.watch(resource, options);
  };
  const { program: once, started } = counted(program);
  const story = {
    play: async () => {
      throw new Error("on purpose");
    },
  };
  const watched = { ...plane, client: { ...plane.client, watch } };
  await expect(run(watched, once, story, undefined)).rejects.toThrow("on purpose");
  expect(signals.map((signal) => signal?.aborted)).not.toContain(false);
  expect(signals.length).toBeGreaterThan(0);
  expect(await Promise.all(started.map(isRunning))).toEqual([false]);
});

it("of two operators of which the second does not start, the first is ended", async () => {
  const { program: one, started } = counted(program, 1);
  const gathered = run(plane, one, IMAGES, undefined, (cast) => two(cast, { write: 0, how: "Ended" }));
  await expect(gathered).rejects.toThrow("no more of them");
  expect(await Promise.all(started.map(isRunning))).toEqual([false]);
});
