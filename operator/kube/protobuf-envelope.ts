import type { Status } from "./errors.ts";
import { decode, type Shape } from "./protobuf.ts";

/** Starts every object, before its envelope. */
const MAGIC = Buffer.from("k8s\0");
/** runtime.Unknown: the envelope. */
const ENVELOPE: Shape = { 2: ["raw", "bytes"] };

/** metav1.Status. */
const STATUS: Shape = {
  3: ["message", "string"],
  4: ["reason", "string"],
  5: [
    "details",
    {
      message: {
        4: [
          "causes",
          { each: { 1: ["reason", "string"], 2: ["message", "string"], 3: ["field", "string"] } },
        ],
        5: ["retryAfterSeconds", "int32"],
      },
    },
  ],
  6: ["code", "int32"],
};

export const isProtobufObject = (bytes: Buffer): boolean => bytes.subarray(0, MAGIC.length).equals(MAGIC);

/**
 * The bytes of an object without what Kubernetes wraps around its protocol buffers.
 * @throws RangeError when there are none
 */
export function contentOf(object: Buffer | undefined): Buffer {
  if (object === undefined || !isProtobufObject(object))
    throw new RangeError("what should be an object in Kubernetes' protocol buffers is none");
  const { raw } = decode(object.subarray(MAGIC.length), ENVELOPE) as { raw?: Buffer };
  return raw ?? Buffer.alloc(0);
}

/**
 * Reads a Status, from its envelope on.
 * @throws RangeError when the bytes are none
 */
export function statusIn(object: Buffer | undefined): Status {
  return decode(contentOf(object), STATUS) as Status;
}
