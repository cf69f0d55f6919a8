import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packAnswer, unpackAnswer } from "./answer.ts";

describe("packAnswer and unpackAnswer", () => {
  it("give back every answer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.string(),
        fc.uint8Array(),
        (status, contentType, bytes) => {
          fc.pre(Buffer.from(contentType).toString() === contentType);
          const answer = { status, contentType, body: Buffer.from(bytes) };
          expect(unpackAnswer(packAnswer(answer))).toEqual(answer);
        },
      ),
    );
  });

  it("take a value of another layout, or one that is cut short, for none", () => {
    const packed = packAnswer({ status: 200, contentType: "application/json", body: Buffer.from("{}") });
    for (const length of [0, 4, 12]) expect(unpackAnswer(packed.subarray(0, length))).toBeUndefined();
    packed[0] = 2;
    expect(unpackAnswer(packed)).toBeUndefined();
  });
});
