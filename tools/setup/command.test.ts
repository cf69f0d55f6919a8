import { describe, expect, it } from "vitest";
import { CommandError, run } from "./command.ts";

describe("run", () => {
  it("returns standard output only, and gives the input", async () => {
    expect(await run(["sh", "-c", "cat; echo aside >&2"], { input: "hello" })).toBe("hello");
  });

  it("tells code and last lines of a command that fails", async () => {
    const error = await run(["sh", "-c", "for i in $(seq 30); do echo line $i >&2; done; exit 7"]).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(CommandError);
    const { exitCode, message, output } = error as CommandError;
    expect(exitCode).toBe(7);
    expect(message).toContain("line 30");
    expect(message).not.toContain("line 15\n");
    expect(output).toContain("line 1\n");
  });

  it("rejects for a command that does not exist", async () => {
    await expect(run(["/nonexistent/command"])).rejects.toThrow(/ENOENT/);
  });

  it("does not mind that a command leaves its input unread", async () => {
    expect(await run(["true"], { input: "x".repeat(1_000_000) })).toBe("");
  });
});
