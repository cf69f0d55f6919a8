import {
  isLargeAndNestedDeeper,
  isNestedDeeper,
  isRecord,
  LARGE_BYTES,
  MAX_NESTING,
  NESTED_TOO_DEEP,
} from "../json-value.ts";
import type { ModelRequest } from "../upstreams/protocol.ts";
import { clientFailure, type Failure } from "./failure.ts";
import { jsonFaultOffset, linePlace } from "./json.ts";

export type ReadRequest =
  | { readonly ok: true; readonly request: ModelRequest }
  | { readonly ok: false; readonly failure: Failure };

function refuse(message: string, param?: string): ReadRequest {
  return { ok: false, failure: clientFailure(400, "invalid_request", message, param) };
}

/** What is said of the place where a body goes wrong. It is looked for character by character, so not in a large one. */
function faultOf(text: string, bytes: number): string {
  if (text === "") return ", it is empty";
  return bytes > LARGE_BYTES ? "" : `, it goes wrong at ${linePlace(text, jsonFaultOffset(text))}`;
}

/**
 * Parses the body of a chat or embeddings request, once for all who need it. Checks what the bridge itself relies on; what
 * the model thinks of the rest, its upstream says.
 */
export function readModelRequest(route: "chat" | "embeddings", body: Buffer, requestId: string): ReadRequest {
  if (isLargeAndNestedDeeper(body, MAX_NESTING)) return refuse(NESTED_TOO_DEEP);
  const text = body.toString();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const problem = `body: not valid JSON${faultOf(text, body.length)}; send a JSON object.`;
    return { ok: false, failure: clientFailure(400, "invalid_json", problem) };
  }
  return checkModelRequest(route, json, requestId, body);
}

/**
 * The same for a body that is parsed already.
 * @param body The bytes it was parsed from; without them they are made here, once nothing is wrong with it.
 */
export function checkModelRequest(
  route: "chat" | "embeddings",
  json: unknown,
  requestId: string,
  body?: Buffer,
): ReadRequest {
  if (!isRecord(json)) {
    return refuse("body: not a JSON object; send an object with model and messages.");
  }
  if (isNestedDeeper(json, MAX_NESTING)) return refuse(NESTED_TOO_DEEP);
  const { model, stream } = json;
  if (typeof model !== "string" || model === "") {
    return refuse("model: missing or not a string; name one of the models that /v1/models lists.", "model");
  }
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    return refuse("stream: not a boolean; write true or false.", "stream");
  }
  if (route === "chat" && !Array.isArray(json.messages)) {
    return refuse(
      "messages: missing or not an array; send the conversation as an array of messages.",
      "messages",
    );
  }
  if (route === "embeddings" && json.input === undefined) {
    return refuse("input: missing; send a text or an array of texts.", "input");
  }
  return {
    ok: true,
    request: {
      body: body ?? Buffer.from(JSON.stringify(json)),
      json,
      model,
      stream: route === "chat" && stream === true,
      requestId,
    },
  };
}
