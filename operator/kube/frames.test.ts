import { describe, expect, it } from "vitest";
import { createFrames } from "./frames.ts";

const framed = (...texts: string[]): Buffer =>
  Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );

function read(limit: number, ...pieces: readonly Uint8Array[]): string[] {
  const frames = createFrames(limit);
  const found: string[] = [];
  // One by one: a frame holds until the next.
  for (const piece of pieces) for (const frame of frames(piece)) found.push(frame.toString());
  return found;
}

describe("frames", () => {
  const long = "x".repeat(40_000);

  it("are put together wherever they are split, also in their lengths", () => {
    const whole = framed("one", "", "three");
    for (let first = 0; first <= whole.length; first++)
      for (let second = first; second <= whole.length; second++) {
        const pieces = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
        expect(read(100, ...pieces), `split at ${first} and ${second}`).toEqual(["one", "", "three"]);
      }
  });

  it("may be longer than most, and short again after it", () => {
    const whole = framed("a", long, "b");
    expect(read(50_000, whole.subarray(0, 7), whole.subarray(7, 30_000), whole.subarray(30_000))).toEqual([
      "a",
      long,
      "b",
    ]);
  });

  it("are refused beyond the limit before they have come, and not handed out unless whole", () => {
    expect(() => read(10, framed("x".repeat(11)).subarray(0, 4))).toThrow("longer than 10 bytes");
    expect(read(10, framed("whole", "cut off").subarray(0, -1))).toEqual(["whole"]);
  });

  it("lie in their piece where they came whole in one", () => {
    const piece = framed("here");
    const [frame] = [...createFrames(10)(piece)];
    expect(frame?.buffer).toBe(piece.buffer);
  });
});
