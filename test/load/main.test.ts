import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Model, startModel } from "../model/server.ts";
import type { Report } from "./load.ts";

let model: Model;
beforeEach(async () => {
  model = await startModel({ knobs: { delayMs: 1, tokenGapMs: 1 } });
});
afterEach(() => model.close());

async function command(
  ...args: string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["test/load/main.ts", ...args]);
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (texts.stdout += text));
  child.stderr.on("data", (text) => (texts.stderr += text));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...texts };
}

describe("the load command", { timeout: 60_000 }, () => {
  it("prints a table, and ends with 0 when all went well", async () => {
    const { status, stdout } = await command("--url", model.url, "--rps", "100", "--seconds", "1");
    expect(stdout).toMatch(/requests in \d+\.\d s, 0 failed, 0 cut/);
    expect(stdout).toMatch(/^chat +\d+ +0 +0 /m);
    expect(status).toBe(0);
  });

  it("prints the report as JSON, and ends with 1 when a request failed", async () => {
    model.set({ errorShare: 1 });
    const { status, stdout } = await command("--url", model.url, "--rps", "50", "--seconds", "0.5", "--json");
    const report = JSON.parse(stdout) as Report;
    expect(report.failed).toBe(report.finished);
    expect(report.reasons["status 500"]).toBe(report.failed);
    expect(report.samples[0]).toMatchObject({ reason: "status 500", cut: false });
    expect(status).toBe(1);
  });

  it("says what is missing", async () => {
    const { status, stderr } = await command("--rps", "5");
    expect(stderr).toContain("--url: missing");
    expect(status).toBe(2);
  });
});
