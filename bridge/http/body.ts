import type { IncomingMessage } from "node:http";
import { clientFailure, type Failure } from "./failure.ts";

/** Told how reading a request's body ended; exactly one is called, or none when the client goes away before. */
export interface BodyReader {
  bodyRead(body: Buffer): void;
  bodyRefused(failure: Failure): void;
}

function tooLarge(limitBytes: number): Failure {
  return clientFailure(
    413,
    "body_too_large",
    `body: larger than the ${limitBytes} bytes this bridge takes; send less, or raise the bridge's body limit.`,
  );
}

/** Reads a body of at most `limitBytes`; one that declares more is refused before its first byte. */
export function readBody(request: IncomingMessage, limitBytes: number, reader: BodyReader): void {
  const declared = request.headers["content-length"];
  if (declared !== undefined && Number(declared) > limitBytes) {
    reader.bodyRefused(tooLarge(limitBytes));
    return;
  }
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let bytes = 0;
  let refused = false;
  request.on("data", (chunk: Buffer) => {
    if (refused) return;
    bytes += chunk.length;
    if (bytes > limitBytes) {
      refused = true;
      first = undefined;
      more = undefined;
      reader.bodyRefused(tooLarge(limitBytes));
    } else if (first === undefined) {
      first = chunk;
    } else {
      more ??= [first];
      more.push(chunk);
    }
  });
  request.on("end", () => {
    if (refused) return;
    reader.bodyRead(more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more, bytes));
  });
}
