import { expect, it } from "vitest";
import { redrawing, screenText } from "./screen.ts";
import { testTerminal } from "./testing/terminal.ts";

it("screenText clears once, then draws over, and counts what does not fit", () => {
  expect(screenText("a\nb\n", { columns: 80, rows: 3 }, true)).toBe(
    "\u001b[2J\u001b[Ha\u001b[K\nb\u001b[K\n\u001b[J",
  );
  expect(screenText("a\nb\nc\n", { columns: 80, rows: 3 }, false)).toBe(
    "\u001b[Ha\u001b[K\n... 2 more lines; make the window taller.\u001b[K\n\u001b[J",
  );
});

it("redrawing draws at each change, until it is interrupted or has nothing more to say", async () => {
  const size = { columns: 80, rows: 10 };
  const counts: number[] = [];
  const ticking = (lastAt: number) => {
    let count = 0;
    return async (changed: () => void) => () => {
      counts.push(++count);
      setImmediate(changed);
      return { text: String(count), last: count === lastAt };
    };
  };
  await redrawing(testTerminal({ size }), ticking(3));
  expect(counts).toEqual([1, 2, 3]);
  const interrupted = new AbortController();
  const terminal = testTerminal({ size, signal: interrupted.signal, write: () => interrupted.abort() });
  await redrawing(terminal, ticking(9));
  expect(counts).toHaveLength(4);
});

it("redrawing throws what keeps it from beginning", async () => {
  const begin = () => Promise.reject(new Error("no rights"));
  await expect(redrawing(testTerminal(), begin)).rejects.toThrow("no rights");
});
