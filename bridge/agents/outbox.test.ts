import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HISTORY_LENGTH, Outbox, QUEUE_LENGTH } from "./outbox.ts";

function takeAll(outbox: Outbox): number[] {
  const offsets: number[] = [];
  for (let text = outbox.take(); text !== undefined; text = outbox.take())
    offsets.push(JSON.parse(text).offset);
  return offsets;
}

describe("Outbox", () => {
  it("numbers messages from 1 and names their epoch", () => {
    const outbox = new Outbox("e");
    outbox.push('"type":"x"');
    expect(JSON.parse(outbox.take() ?? "")).toEqual({ type: "x", epoch: "e", offset: 1 });
  });

  it("is full when 100 wait, sent ones not counted", () => {
    const outbox = new Outbox("e");
    for (let i = 0; i < QUEUE_LENGTH; i++) outbox.push('"a":1');
    expect(outbox.full).toBe(true);
    outbox.take();
    expect(outbox.full).toBe(false);
  });

  it("gives the last 50 again, and says when more is asked for", () => {
    const outbox = new Outbox("e");
    for (let i = 0; i < 80; i++) outbox.push('"a":1');
    takeAll(outbox);
    expect(outbox.rewind(80 - HISTORY_LENGTH - 1)).toBe(false);
    expect(outbox.rewind(81)).toBe(false);
    expect(outbox.rewind(80 - HISTORY_LENGTH)).toBe(true);
    expect(takeAll(outbox)).toEqual(Array.from({ length: HISTORY_LENGTH }, (_, index) => 31 + index));
  });

  it("gives every message after the offset, in order, to an agent that acknowledges, whenever its connection breaks", () => {
    const step = fc.constantFrom("push", "take", "ack", "break");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const outbox = new Outbox("e");
        outbox.acknowledge(0);
        let received = 0;
        let next = 1;
        for (const action of steps) {
          if (action === "push" && !outbox.full) outbox.push('"a":1');
          if (action === "ack") outbox.acknowledge(received);
          if (action === "break") {
            expect(outbox.rewind(received)).toBe(true);
            next = received + 1;
          }
          const text = action === "take" ? outbox.take() : undefined;
          if (text === undefined) continue;
          expect(JSON.parse(text).offset).toBe(next++);
          // Every other message is lost with the connection unless it is sent again.
          received = Math.max(received, next - 1);
        }
      }),
    );
  });
});
