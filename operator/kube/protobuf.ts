/**
 * Reads of a protocol buffer the fields that somebody asked for, as the same object in JSON would have them.
 *
 * The API server writes built-in kinds as protocol buffers several times faster than as JSON, and who reads a few of an object's fields skips the
 * others without making anything of them. It is the encoding that Kubernetes' own components speak
 * (https://protobuf.dev/programming-guides/encoding, https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding).
 */
export type Kind =
  | "string"
  | "bytes"
  /** Up to 32 bits, with a sign. */
  | "int32"
  /** A generation or a time: never below 0, left out when 0, and exact up to 2^53. */
  | "int64"
  | "bool"
  /** A metav1.Time, told as RFC 3339 to the second. */
  | "time"
  /** An intstr.IntOrString: a port or an amount by number, or by name or as a percentage. */
  | "intOrString"
  /** repeated string. */
  | "texts"
  /** map<string, string>. With names: nothing but these. */
  | { readonly strings: Names | "all" }
  | { readonly message: Shape }
  /** repeated messages. */
  | { readonly each: Shape };

/** Fields of a message by their number: those that are read. */
export type Shape = Readonly<Record<number, readonly [name: string, kind: Kind]>>;

/** Names that are looked for in bytes, without making a text of every other. */
export class Names {
  private readonly known: readonly { readonly text: string; readonly bytes: Buffer }[];

  constructor(...names: readonly string[]) {
    this.known = names.map((text) => ({ text, bytes: Buffer.from(text) }));
  }

  /** The one that stands there; undefined where it is another. */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    return this.known.find((one) => one.bytes.length === end - start && isAt(bytes, start, one.bytes))?.text;
  }
}

/** From the end on: what names of one kind have in common is their beginning. */
function isAt(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let index = name.length - 1; index >= 0; index--)
    if (bytes[start + index] !== name[index]) return false;
  return true;
}

type Message = Record<string, unknown>;

/** Wire types (the low three bits of a tag). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A place in bytes that moves on as they are read. */
class Reader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError("a protocol buffer ends in the middle of a field");
    return byte;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let byte = this.byte(); ; byte = this.byte()) {
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  /** The low 32 bits: a number below 0 is written with all 64. */
  int32(): number {
    let value = 0;
    let shift = 0;
    for (let byte = this.byte(); ; byte = this.byte()) {
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  }

  /** Goes past a field of this length and says where it ends. */
  end(): number {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError("a protocol buffer ends in the middle of a field");
    return end;
  }

  text(): string {
    const [end, start] = [this.end(), this.at];
    this.at = end;
    return this.bytes.toString("utf8", start, end);
  }

  /** The same where it is one of these. */
  name(names: Names): string | undefined {
    const [end, start] = [this.end(), this.at];
    this.at = end;
    return names.find(this.bytes, start, end);
  }

  /** The same without making anything of it: a part of the bytes that are read. */
  content(): Buffer {
    const [end, start] = [this.end(), this.at];
    this.at = end;
    return this.bytes.subarray(start, end);
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === BYTES) this.at = this.end();
    else if (wireType === FIXED64) this.at += 8;
    else if (wireType === FIXED32) this.at += 4;
    else throw new RangeError(`a protocol buffer has wire type ${wireType}, which Kubernetes does not use`);
  }
}

/**
 * What a message has of the shape's fields. Fields that it does not have, and texts and maps that are empty, are left out, as JSON leaves them out.
 * @throws RangeError when the bytes are no such message
 */
export function decode(bytes: Buffer, shape: Shape): Message {
  return messageIn(new Reader(bytes), bytes.length, shape);
}

function messageIn(reader: Reader, end: number, shape: Shape): Message {
  const message: Message = {};
  while (reader.at < end) {
    const tag = reader.varint();
    const field = shape[Math.floor(tag / 8)];
    if (field === undefined) reader.skip(tag % 8);
    else read(reader, field, message);
  }
  if (reader.at > end) throw new RangeError("a field of a protocol buffer is longer than its message");
  return message;
}

function read(reader: Reader, [name, kind]: Shape[number], into: Message): void {
  if (typeof kind === "object") readComposite(reader, name, kind, into);
  else if (kind === "texts") append(into, name, reader.text());
  else {
    const value = scalar(reader, kind);
    if (value !== undefined) into[name] = value;
  }
}

function append(into: Message, name: string, value: unknown): void {
  const all = into[name] as unknown[] | undefined;
  if (all) all.push(value);
  else into[name] = [value];
}

function scalar(reader: Reader, kind: Exclude<Extract<Kind, string>, "texts">): unknown {
  switch (kind) {
    case "string":
      return reader.text() || undefined;
    case "bytes":
      return reader.content();
    case "int32":
      return reader.int32();
    case "int64":
      return reader.varint() || undefined;
    case "bool":
      return reader.varint() !== 0;
    case "time":
      return time(messageIn(reader, reader.end(), TIME));
    case "intOrString":
      return intOrString(messageIn(reader, reader.end(), INT_OR_STRING));
  }
}

function readComposite(reader: Reader, name: string, kind: Exclude<Kind, string>, into: Message): void {
  const end = reader.end();
  if ("message" in kind) into[name] = messageIn(reader, end, kind.message);
  else if ("each" in kind) append(into, name, messageIn(reader, end, kind.each));
  else {
    const [key, value] = entryIn(reader, end, kind.strings);
    if (key === undefined) return;
    into[name] ??= {};
    (into[name] as Record<string, string>)[key] = value;
  }
}

/** One entry of a map: a message of key (1) and value (2), in this order. The key is undefined where nobody asked for it. */
function entryIn(
  reader: Reader,
  end: number,
  names: Names | "all",
): readonly [key: string | undefined, value: string] {
  let key = names === "all" ? "" : undefined;
  let value = "";
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === 0x0a) key = names === "all" ? reader.text() : reader.name(names);
    else if (tag === 0x12 && key !== undefined) value = reader.text();
    else reader.skip(tag % 8);
  }
  return [key, value];
}

const TIME: Shape = { 1: ["seconds", "int64"] };

/** Thousands of objects are made within the same minutes. */
const KNOWN_TIMES = 1024;
const knownTimes: { seconds: number; text: string }[] = [];

function time({ seconds }: Message): string | undefined {
  if (typeof seconds !== "number") return undefined;
  const slot = seconds % KNOWN_TIMES;
  const known = knownTimes[slot];
  if (known?.seconds === seconds) return known.text;
  const text = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  knownTimes[slot] = { seconds, text };
  return text;
}

/** What it is, its number, and its text; a type of 0, a number, is written too. */
const INT_OR_STRING: Shape = { 1: ["type", "int32"], 2: ["number", "int32"], 3: ["text", "string"] };

function intOrString({ type, number, text }: Message): number | string {
  return type === 1 ? ((text as string | undefined) ?? "") : ((number as number | undefined) ?? 0);
}
