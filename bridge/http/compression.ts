import type { IncomingHttpHeaders } from "node:http";
import type { Encoding, Workers } from "../workers/workers.ts";
import { chooseEncoding } from "./encoding.ts";

/** Answers up to this are sent as they are: compression would save less than a packet. */
export const COMPRESS_BYTES = 1024;

/** What an answer of one piece is compressed with for a caller; undefined: not at all. */
export function encodingFor(
  body: Buffer,
  contentType: string | undefined,
  asked: IncomingHttpHeaders,
): Encoding | undefined {
  if (body.length <= COMPRESS_BYTES || contentType?.startsWith("text/event-stream") === true)
    return undefined;
  return chooseEncoding(asked["accept-encoding"]);
}

/** An answer of one piece as it is sent, and what it is compressed with. */
export interface SentBody {
  readonly body: Buffer;
  readonly encoding: Encoding | undefined;
}

/** Compression is a courtesy: without a worker to do it the answer goes as it is. Never rejects. */
export function compressed(
  workers: Pick<Workers, "compress">,
  body: Buffer,
  encoding: Encoding,
): Promise<SentBody> {
  return workers.compress(body, encoding).then(
    (packed) => ({ body: packed, encoding }),
    () => ({ body, encoding: undefined }),
  );
}
