import { describe, expect, it } from "vitest";
import { decode, Names, type Shape } from "./protobuf.ts";

const varint = (value: bigint | number): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
};
const number = (field: number, value: bigint | number) => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, content: Iterable<number>) => {
  const all = [...content];
  return [...varint(field * 8 + 2), ...varint(all.length), ...all];
};
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const entry = (key: string, value: string) => [...text(1, key), ...text(2, value)];

const SHAPE: Shape = {
  1: ["name", "string"],
  2: ["count", "int32"],
  3: ["version", "int64"],
  4: ["made", "time"],
  5: ["labels", { strings: "all" }],
  6: ["chosen", { strings: new Names("a", "c") }],
  7: ["inner", { message: { 1: ["name", "string"] } }],
  8: ["parts", { each: { 1: ["name", "string"], 2: ["count", "int32"] } }],
  9: ["names", "texts"],
  10: ["allowed", "bool"],
  11: ["port", "intOrString"],
  900: ["late", "string"],
};

const read = (...fields: readonly number[][]) => decode(Buffer.from(fields.flat()), SHAPE);

describe("decode", () => {
  it("reads texts, numbers and times", () => {
    expect(read(text(1, "grün"), number(2, 7), number(3, 2n ** 52n), text(900, "z"))).toEqual({
      name: "grün",
      count: 7,
      version: 2 ** 52,
      late: "z",
    });
    expect(read(bytes(4, [...number(1, 1_767_225_600), ...number(2, 5)]))).toEqual({
      made: "2026-01-01T00:00:00Z",
    });
  });

  it.each([0, -1, -137, 2 ** 31 - 1, -(2 ** 31)])(
    "reads %d in 32 bits, which is written with 64",
    (value) => {
      expect(read(number(2, value))).toEqual({ count: value });
    },
  );

  it("leaves out what JSON leaves out: empty texts and times", () => {
    expect(read(text(1, ""), bytes(4, []))).toEqual({});
  });

  it("reads maps, and of some only the names asked for", () => {
    const both = [5, 6].flatMap((field) =>
      [entry("a", "1"), entry("b", "2"), entry("c", "")].flatMap((one) => bytes(field, one)),
    );
    expect(read(both)).toEqual({ labels: { a: "1", b: "2", c: "" }, chosen: { a: "1", c: "" } });
    expect(read(bytes(6, entry("b", "2")))).toEqual({});
  });

  it("reads messages within, and rows of them in their order", () => {
    expect(
      read(
        bytes(7, text(1, "inside")),
        bytes(8, text(1, "one")),
        bytes(8, [...text(1, "two"), ...number(2, 2)]),
      ),
    ).toEqual({ inner: { name: "inside" }, parts: [{ name: "one" }, { name: "two", count: 2 }] });
  });

  it("reads rows of texts, also empty ones, and what is true or false", () => {
    expect(read(text(9, "a"), text(9, ""), text(9, "c"))).toEqual({ names: ["a", "", "c"] });
    expect(read(number(10, 1))).toEqual({ allowed: true });
    expect(read(number(10, 0))).toEqual({ allowed: false });
  });

  it("reads what is a number or a text as the one that it is", () => {
    const port = (...fields: number[][]) => read(bytes(11, fields.flat()));
    expect(port(number(1, 0), number(2, 8080), text(3, ""))).toEqual({ port: 8080 });
    expect(port(number(1, 1), number(2, 0), text(3, "http"))).toEqual({ port: "http" });
    expect(port()).toEqual({ port: 0 });
    expect(port(number(1, 1))).toEqual({ port: "" });
  });

  it("passes over fields that nobody asked for, whatever they hold", () => {
    const fixed64 = [...varint(20 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8];
    const fixed32 = [...varint(21 * 8 + 5), 1, 2, 3, 4];
    expect(read(number(19, 2n ** 63n), fixed64, fixed32, text(22, "skipped"), text(1, "kept"))).toEqual({
      name: "kept",
    });
  });

  it("refuses bytes that are cut off, wherever that is", () => {
    const whole = [...text(1, "name"), ...bytes(5, entry("a", "b")), ...bytes(8, number(2, 300))];
    const ends = [6, 14].concat(whole.length);
    for (let length = 1; length < whole.length; length++) {
      const cut = Buffer.from(whole.slice(0, length));
      if (ends.includes(length)) expect(() => decode(cut, SHAPE)).not.toThrow();
      else expect(() => decode(cut, SHAPE), `${length} bytes`).toThrow(RangeError);
    }
  });

  it("refuses fields that reach beyond their message, and wire types that do not exist", () => {
    expect(() => read(bytes(8, [...varint(10), ...varint(2)]), text(1, "next"))).toThrow("longer than");
    expect(() => read(varint(23 * 8 + 3))).toThrow("wire type 3");
  });
});
