import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";

/** A run with one process that would go on for a minute. */
const RUN = `
  import { spawn } from "node:child_process";
  import { endInOrder } from "./test/run/interrupt.ts";
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const children = new Set([child]);
  child.on("exit", (code, signal) => console.log("child " + signal));
  endInOrder({ children, say: console.log, takeDown: async () => console.log("taken down") });
  child.on("spawn", () => console.log("running"));
`;

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the processes, then what they left, then the run with %i", async (signal, code) => {
  const run = spawn(process.execPath, ["--input-type=module", "-e", RUN]);
  const told: string[] = [];
  const lines = createInterface(run.stdout);
  lines.on("line", (line) => told.push(line));
  await once(lines, "line");
  run.kill(signal);
  expect(await once(run, "close")).toEqual([code, null]);
  expect(told).toEqual(["running", expect.stringContaining("ending"), `child ${signal}`, "taken down"]);
});
