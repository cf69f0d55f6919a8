import type { SpecPatch, Trial } from "../../operator/api/v1alpha1/rules/rule.ts";

type Json = Record<string, unknown>;

/** The smallest bridge that the API server accepts. */
export function smallestBridge(name: string, namespace = "default"): Json & { spec: Json } {
  return {
    apiVersion: "llmbridge.dev/v1alpha1",
    kind: "LLMBridge",
    metadata: { name, namespace },
    spec: {
      image: "registry.example/llmbridge/bridge:1.0.0",
      upstreams: [{ name: "models", protocol: "Ollama", url: "http://ollama.example:11434" }],
    },
  };
}

/** A bridge as a trial of a rule asks for it. */
export function bridgeOf(trial: Trial, fallbackName: string): Json & { spec: Json } {
  const bridge = smallestBridge(trial.name ?? fallbackName);
  return { ...bridge, spec: patched(bridge.spec, trial.spec) };
}

/** RFC 7396 on plain objects: lists are replaced, `null` removes. */
export function patched(target: Json, patch: SpecPatch | Json | undefined): Json {
  const result: Json = { ...target };
  for (const [key, value] of Object.entries(patch ?? {})) {
    if (value === null) delete result[key];
    else result[key] = isMap(value) ? patched(isMap(result[key]) ? result[key] : {}, value) : value;
  }
  return result;
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
