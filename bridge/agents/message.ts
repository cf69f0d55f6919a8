import * as z from "zod";
import { isLargeAndNestedDeeper, MAX_NESTING, NESTED_TOO_DEEP } from "../json-value.ts";

const id = z.union([z.string().min(1).max(128), z.number().int()]);

/**
 * What an agent sends on `/v1/agents`, one JSON object per WebSocket message.
 * - `chat`: asks for an answer; `body` is a request of `/v1/chat/completions`. Answers are always streamed.
 * - `cancel`: ends the answer to `id` at once.
 * - `ack`: everything up to `offset` has arrived. Agents that acknowledge never lose a message to a broken connection: at
 *   most 50 messages are under way unacknowledged. For others the last 50 messages can be had again.
 *
 * An agent that sends on while more than 1,000 messages to it wait to be read or acknowledged is closed with code 1008.
 */
const message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("chat"), id, body: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal("cancel"), id }),
  z.object({ type: z.literal("ack"), offset: z.number().int().min(0) }),
]);
export type AgentMessage = z.infer<typeof message>;
export type AgentMessageId = z.infer<typeof id>;

export type ReadMessage =
  | { readonly ok: true; readonly message: AgentMessage }
  | { readonly ok: false; readonly problem: string; readonly id: AgentMessageId | undefined };

/** Reads one message; a problem is one sentence with the place and what to send instead. */
export function readMessage(bytes: Buffer): ReadMessage {
  // The message is one level more than its body.
  if (isLargeAndNestedDeeper(bytes, MAX_NESTING + 1)) {
    return { ok: false, problem: NESTED_TOO_DEEP, id: undefined };
  }
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    return {
      ok: false,
      problem: "message: not valid JSON; send one JSON object per message.",
      id: undefined,
    };
  }
  const parsed = message.safeParse(json);
  if (parsed.success) return { ok: true, message: parsed.data };
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "message" : issue.path.join(".");
  const known = id.safeParse((json as { id?: unknown } | null)?.id);
  return {
    ok: false,
    problem: `${place}: ${issue?.message ?? "invalid"}; send {"type":"chat","id":...,"body":{...}}, a cancel or an ack.`,
    id: known.success ? known.data : undefined,
  };
}
