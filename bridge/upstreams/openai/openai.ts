import * as z from "zod";
import type { ModelRequest, PreparedCall, Protocol, ProtocolContext } from "../protocol.ts";
import { callHeaders } from "../protocol.ts";
import type { AnswerSink } from "../sink.ts";

const list = z.object({
  data: z.array(z.object({ id: z.string(), created: z.number().catch(0), owned_by: z.string().catch("") })),
});

function pass(context: ProtocolContext, path: string, request: ModelRequest, sink: AnswerSink): PreparedCall {
  const accept = request.stream ? "text/event-stream" : "application/json";
  return {
    request: {
      method: "POST",
      path: context.basePath + path,
      headers: callHeaders(context, accept, request.requestId),
      body: request.body,
    },
    sink,
  };
}

/** Upstreams with OpenAI's API (`url` includes the version, as the SDKs' base URL does): bytes pass both ways unchanged. */
export const openaiProtocol: Protocol = {
  chat: (context, request, sink) => pass(context, "/chat/completions", request, sink),
  embeddings: (context, request, sink) => pass(context, "/embeddings", request, sink),
  models: (context) => ({
    method: "GET",
    path: `${context.basePath}/models`,
    headers: callHeaders(context, "application/json"),
    body: null,
  }),
  readModels: (_context, body) =>
    list.parse(JSON.parse(body.toString())).data.map((model) => ({ ...model, object: "model" as const })),
};
