import type * as z from "zod";
import { type BridgeConfig, bridgeConfig, type RuntimeConfig, runtimeConfig } from "../../contract/config.ts";
import { FILES } from "../../contract/endpoints.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

function place(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path)
    text += typeof key === "number" ? `[${key}]` : `${text === "" ? "" : "."}${String(key)}`;
  return text;
}

function parse<T>(file: string, schema: z.ZodType<T>, text: string): Parsed<T> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return {
      ok: false,
      message: `${file}: not valid JSON; write the file again as the operator renders it.`,
    };
  }
  const result = schema.safeParse(raw);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? file : `${file}: ${place(issue.path)}`;
  return { ok: false, message: `${where}: ${issue?.message ?? "invalid"}; correct the value.` };
}

/** config.json: schema of the contract, upstream addresses that are http or https URLs, and upstream names that differ. */
export function parseConfig(text: string): Parsed<BridgeConfig> {
  const parsed = parse(FILES.config, bridgeConfig, text);
  if (!parsed.ok) return parsed;
  const names = new Set<string>();
  for (const [index, upstream] of parsed.value.upstreams.entries()) {
    const url = URL.parse(upstream.url);
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      return {
        ok: false,
        message: `${FILES.config}: upstreams[${index}].url: "${upstream.url}" is not an http or https URL; write one such as http://ollama:11434.`,
      };
    }
    if (names.has(upstream.name)) {
      return {
        ok: false,
        message: `${FILES.config}: upstreams[${index}].name: "${upstream.name}" is used twice; give each upstream its own name.`,
      };
    }
    names.add(upstream.name);
  }
  return parsed;
}

/** runtime.json: schema of the contract; workers at most `workersCap`. */
export function parseRuntime(text: string, workersCap: number): Parsed<RuntimeConfig> {
  const parsed = parse(FILES.runtime, runtimeConfig, text);
  if (parsed.ok && parsed.value.workers > workersCap) {
    return {
      ok: false,
      message: `${FILES.runtime}: workers: ${parsed.value.workers} is above the cap of ${workersCap}; lower it, or make a revision with a higher cap.`,
    };
  }
  return parsed;
}
