import { isNestedDeeper, isRecord, MAX_NESTING } from "../../json-value.ts";

type Json = Readonly<Record<string, unknown>>;

/** OpenAI's sampling fields and the names Ollama has for them. */
const OPTIONS: ReadonlyArray<readonly [from: string, to: string]> = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["seed", "seed"],
  ["stop", "stop"],
  ["frequency_penalty", "frequency_penalty"],
  ["presence_penalty", "presence_penalty"],
  ["max_tokens", "num_predict"],
  ["max_completion_tokens", "num_predict"],
];

function options(body: Json): Record<string, unknown> {
  const result: Record<string, unknown> = isRecord(body.options) ? { ...body.options } : {};
  for (const [from, to] of OPTIONS) {
    const value = body[from];
    if (value !== undefined && value !== null) result[to] = value;
  }
  // OpenAI's API takes one sequence alone too; Ollama refuses anything but a list.
  if (typeof result.stop === "string") result.stop = [result.stop];
  return result;
}

/** The base64 data of a data URL; any other URL as it is, which Ollama refuses with its own message. */
function imageData(url: string): string {
  const comma = url.indexOf(",");
  return url.startsWith("data:") && comma !== -1 ? url.slice(comma + 1) : url;
}

function content(value: unknown): { content: string; images?: string[] } {
  if (typeof value === "string") return { content: value };
  if (!Array.isArray(value)) return { content: "" };
  const texts: string[] = [];
  const images: string[] = [];
  for (const part of value) {
    if (!isRecord(part)) continue;
    if (typeof part.text === "string") texts.push(part.text);
    const image = part.image_url;
    const url = isRecord(image) ? image.url : image;
    if (typeof url === "string") images.push(imageData(url));
  }
  return images.length === 0 ? { content: texts.join("\n") } : { content: texts.join("\n"), images };
}

function parsedArguments(text: unknown): unknown {
  if (typeof text !== "string") return text ?? {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isNestedDeeper(parsed, MAX_NESTING)) return parsed;
  } catch {
    // Handled as those that are nested too deep to be written again.
  }
  // A model can have produced arguments that are not JSON; the next one may still read them.
  return { arguments: text };
}

function message(value: unknown, toolNames: Map<string, string>): Record<string, unknown> {
  if (!isRecord(value)) return { role: "user", content: "" };
  const role = value.role === "developer" ? "system" : value.role;
  const result: Record<string, unknown> = { role, ...content(value.content) };
  if (Array.isArray(value.tool_calls)) {
    result.tool_calls = value.tool_calls.filter(isRecord).map((call) => {
      const called = isRecord(call.function) ? call.function : {};
      if (typeof call.id === "string" && typeof called.name === "string") {
        toolNames.set(call.id, called.name);
      }
      return { function: { name: called.name, arguments: parsedArguments(called.arguments) } };
    });
  }
  if (role === "tool") {
    const name = value.name ?? toolNames.get(String(value.tool_call_id));
    if (name !== undefined) result.tool_name = name;
  }
  return result;
}

function format(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  if (value.type === "json_object") return "json";
  const schema = value.json_schema;
  return value.type === "json_schema" && isRecord(schema) ? schema.schema : undefined;
}

/** The body of Ollama's `/api/chat` for a chat request of OpenAI's API (Ollama API, "Generate a chat completion"). */
export function ollamaChatBody(body: Json, stream: boolean): Buffer {
  const toolNames = new Map<string, string>();
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const effort = body.reasoning_effort;
  return Buffer.from(
    JSON.stringify({
      model: body.model,
      messages: messages.map((item) => message(item, toolNames)),
      stream,
      options: options(body),
      tools: body.tools,
      format: format(body.response_format),
      think: effort === undefined || effort === null ? undefined : effort !== "none" && effort,
      keep_alive: body.keep_alive,
    }),
  );
}

/** The body of Ollama's `/api/embed` for an embeddings request of OpenAI's API. */
export function ollamaEmbedBody(body: Json): Buffer {
  return Buffer.from(JSON.stringify({ model: body.model, input: body.input, dimensions: body.dimensions }));
}
