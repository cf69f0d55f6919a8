import * as z from "zod";

const count = z.number().int().min(0).catch(0);

const toolCall = z.object({
  id: z.string().optional().catch(undefined),
  function: z.object({ name: z.string(), arguments: z.unknown() }),
});

const answer = z.object({
  error: z.string().optional(),
  message: z
    .object({
      content: z.string().catch(""),
      thinking: z.string().optional().catch(undefined),
      tool_calls: z.array(toolCall).optional(),
    })
    .optional(),
  done: z.boolean().catch(false),
  done_reason: z.string().optional().catch(undefined),
  prompt_eval_count: count,
  eval_count: count,
});

/** One line of a streamed answer of `/api/chat`, or the whole of one that is not streamed. */
export type OllamaAnswer = z.infer<typeof answer>;

/** @throws Error (zod's) when the text is not such an answer. */
export function readOllamaAnswer(text: string): OllamaAnswer {
  return answer.parse(JSON.parse(text));
}

export interface OpenAIToolCall {
  readonly index: number;
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** @param from Index of the first of these calls within the message; ids are made from it where Ollama gives none. */
export function openaiToolCalls(
  answerId: string,
  calls: OllamaAnswer["message"],
  from: number,
): OpenAIToolCall[] {
  return (calls?.tool_calls ?? []).map((call, offset) => ({
    index: from + offset,
    id: call.id ?? `call_${answerId}_${from + offset}`,
    type: "function",
    function: { name: call.function.name, arguments: JSON.stringify(call.function.arguments ?? {}) },
  }));
}

/** OpenAI's finish_reason. `load` and `unload` (no text was asked for) count as a normal stop. */
export function finishReason(
  doneReason: string | undefined,
  calledTools: boolean,
): "stop" | "length" | "tool_calls" {
  if (calledTools) return "tool_calls";
  return doneReason === "length" ? "length" : "stop";
}

export function usageObject(promptTokens: number, completionTokens: number): Record<string, number> {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
