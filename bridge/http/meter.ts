import type { CacheLabel, RouteLabel } from "../../contract/metrics.ts";
import { findUsage } from "../stream/usage.ts";
import type { ModelRequest } from "../upstreams/protocol.ts";
import type { TokenCount } from "../upstreams/sink.ts";
import type { Usage } from "../usage/usage.ts";
import type { Workers } from "../workers/workers.ts";

/** What is known about an answer when it has been sent. */
export interface Metered {
  readonly tenant: string;
  readonly route: RouteLabel;
  readonly upstream: string;
  readonly request: ModelRequest;
  readonly status: number;
  readonly durationMs: number;
  readonly cache: CacheLabel;
  /** As the upstream counted them, where it did. */
  readonly tokens: TokenCount | undefined;
  /** The answer, or the end of a stream or of one that is too large; empty where no byte of a successful one came. */
  readonly text: string;
  /** Chunks of the stream in OpenAI's sense, which are its events; 0 for an answer in one piece. */
  readonly chunks: number;
}

/** Writes usage records, one for every answer; never makes a request wait. */
export interface UsageMeter {
  record(metered: Metered): void;
}

/** Chunks of a stream that carry no token: the role at its start, the finish reason and the terminal event at its end. */
const EMPTY_CHUNKS = 3;

/** @param onError Told of a count that failed, whose tokens are then recorded as 0. */
export function createUsageMeter(
  usage: Pick<Usage, "record">,
  workers: Pick<Workers, "countTokens">,
  onError: (error: Error) => void,
): UsageMeter {
  const completion = async (metered: Metered): Promise<number> => {
    if (metered.route === "embeddings") return 0;
    // A stream is not kept to be counted: its chunks stand for tokens, which is how model servers send them.
    if (metered.chunks > 0) return Math.max(1, metered.chunks - EMPTY_CHUNKS);
    return workers.countTokens({ model: metered.request.model, texts: answerTexts(metered.text) });
  };
  const prompt = async (request: ModelRequest): Promise<number> => {
    const texts: string[] = [];
    collectTexts(request.json.messages ?? request.json.input, texts);
    return workers.countTokens({ model: request.model, texts });
  };
  const write = (metered: Metered, tokens: TokenCount): void => {
    const { tenant, route, upstream, status, durationMs, cache } = metered;
    usage.record({
      tenant,
      route,
      model: metered.request.model,
      upstream,
      status,
      durationMs,
      cache,
      ...tokens,
    });
  };
  return {
    record(metered) {
      const tokens = metered.tokens ?? findUsage(metered.text);
      if (tokens !== undefined) {
        write(metered, tokens);
        return;
      }
      // An answer that had begun has cost what an answer costs, whoever broke it off.
      if (metered.status >= 400 && metered.chunks === 0 && metered.text === "") {
        write(metered, { promptTokens: 0, completionTokens: 0 });
        return;
      }
      // Where the queue of jobs is full or a thread dies, who asked what of whom is still known.
      const uncounted = (error: Error): number => {
        onError(error);
        return 0;
      };
      void Promise.all([prompt(metered.request).catch(uncounted), completion(metered).catch(uncounted)]).then(
        ([promptTokens, completionTokens]) => write(metered, { promptTokens, completionTokens }),
      );
    },
  };
}

/** What the model wrote in an answer of one piece; nothing where it is not such an answer. */
function answerTexts(text: string): string[] {
  const texts: string[] = [];
  try {
    const { choices } = JSON.parse(text) as { choices?: { message?: unknown }[] };
    for (const choice of choices ?? []) collectTexts(choice.message, texts);
  } catch {
    return [];
  }
  return texts;
}

/** The texts of messages or inputs: strings themselves, and `content` and `text` of objects in any nesting that the API has. */
function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === "string") {
    texts.push(value);
  } else if (Array.isArray(value)) {
    for (const item of value) collectTexts(item, texts);
  } else if (typeof value === "object" && value !== null) {
    const fields = value as Record<string, unknown>;
    collectTexts(fields.content ?? fields.text, texts);
  }
}
