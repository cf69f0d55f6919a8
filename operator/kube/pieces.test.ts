import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { piecesOf } from "./pieces.ts";

const source = (): Readable => new Readable({ read: () => {} });

async function all(stream: Readable): Promise<string> {
  let text = "";
  for await (const pieces of piecesOf(stream))
    for (const piece of pieces) text += Buffer.from(piece).toString();
  return text;
}

describe("what a stream brings", () => {
  it("is handed out in order, the pieces that have come together", async () => {
    const stream = source();
    const found: number[] = [];
    const reading = (async () => {
      for await (const pieces of piecesOf(stream)) found.push(pieces.length);
    })();
    for (const text of ["a", "b", "c"]) stream.push(text);
    await new Promise(setImmediate);
    stream.push("d");
    stream.push(null);
    await reading;
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(found.length).toBeLessThan(4);
  });

  it("is handed out before the end and before an error", async () => {
    const ended = source();
    ended.push("all");
    ended.push(null);
    expect(await all(ended)).toBe("all");

    const broken = source();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const pieces of piecesOf(broken)) seen.push(...pieces.map(String));
    })();
    broken.push("some");
    await new Promise(setImmediate);
    broken.destroy(new Error("reset"));
    await expect(reading).rejects.toThrow("reset");
    expect(seen).toHaveLength(1);
  });

  it("is an error where the stream closes without having ended", async () => {
    const stream = source();
    const reading = all(stream);
    stream.destroy();
    await expect(reading).rejects.toThrow("Premature close");

    const gone = source();
    gone.destroy();
    await new Promise(setImmediate);
    await expect(all(gone)).rejects.toThrow("Premature close");

    const failed = source().on("error", () => {});
    failed.destroy(new Error("reset"));
    await new Promise(setImmediate);
    await expect(all(failed)).rejects.toThrow("reset");
  });

  it("waits while it is not read", async () => {
    let asked = 0;
    const stream = new Readable({
      highWaterMark: 1024,
      read() {
        asked++;
        this.push(Buffer.alloc(8 * 1024));
      },
    });
    const pieces = piecesOf(stream);
    await pieces.next();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(asked).toBeLessThan(20);
    const before = asked;
    await pieces.next();
    await pieces.next();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(asked).toBeGreaterThan(before);
    await pieces.return(undefined);
    expect(stream.destroyed).toBe(true);
  });
});
