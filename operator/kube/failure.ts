import { statusOf, statusOfText } from "./answers.ts";
import { ApiError, type Status } from "./errors.ts";
import { isProtobufObject, statusIn } from "./protobuf-envelope.ts";
import { parseRetryAfter } from "./retry.ts";

/**
 * Makes an error of an answer that is none.
 * @param request what was asked, for the message
 * @param answer its body in whatever form it came: who takes protocol buffers is told of failures in them too
 * @param nowMs wall clock
 */
export function failureOf(
  request: string,
  answer: {
    readonly code: number;
    readonly retryAfter: string | readonly string[] | undefined;
    readonly body: Buffer;
  },
  nowMs: number,
): ApiError {
  const { code, retryAfter, body } = answer;
  const status = statusOfBody(body);
  const header = typeof retryAfter === "string" ? retryAfter : retryAfter?.[0];
  return new ApiError(request, code, status, parseRetryAfter(header, nowMs) ?? askedMs(status));
}

/** Makes an error of an ERROR event of a watch. */
export const eventFailure = (status: Status): ApiError =>
  new ApiError("watch", status.code ?? 500, status, askedMs(status));

function statusOfBody(body: Buffer): Status {
  if (!isProtobufObject(body)) return statusOfText(body.toString());
  try {
    return statusOf(statusIn(body));
  } catch {
    return statusOfText(body.toString());
  }
}

function askedMs({ details }: Status): number | undefined {
  const seconds = details?.retryAfterSeconds;
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}
