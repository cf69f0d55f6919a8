import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CacheSubject, cacheKey } from "./key.ts";

const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
const upstream = { name: "u", protocol: "OpenAI", url: "http://u/v1" } as const;
const subject: CacheSubject = { scope: "ns/b", tenant: "t", route: "chat", upstream, model: "m", body };
const keyOf = (changes: Partial<CacheSubject>) => cacheKey({ ...subject, ...changes });
const keyOfBody = (fields: Record<string, unknown>) => keyOf({ body: { ...body, ...fields } });

describe("cacheKey", () => {
  it("never lets two tenants share an entry", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (a, b, text) => {
        fc.pre(a !== b);
        const asked = { messages: [{ role: "user", content: text }] };
        expect(keyOf({ tenant: a, body: asked })).not.toBe(keyOf({ tenant: b, body: asked }));
      }),
    );
    expect(keyOf({ tenant: "a", model: "bc" })).not.toBe(keyOf({ tenant: "ab", model: "c" }));
  });

  it.each<Partial<CacheSubject>>([
    { scope: "ns/c" },
    { route: "embeddings" },
    { model: "n" },
    { upstream: { ...upstream, name: "v" } },
    { upstream: { ...upstream, protocol: "Ollama" } },
    { upstream: { ...upstream, url: "http://v/v1" } },
  ])("depends on bridge, route, model and all that says which server the upstream is: %j", (change) => {
    expect(keyOf(change)).not.toBe(keyOf({}));
  });

  it("does not depend on the order of the body's own fields", () => {
    const messages = [{ role: "user", content: "hi" }];
    const turned = { max_tokens: 5, messages };
    expect(keyOf({ body: { messages, max_tokens: 5 } })).toBe(keyOf({ body: turned }));
    expect(keyOf({ body: { messages: [1, 2] } })).not.toBe(keyOf({ body: { messages: [2, 1] } }));
  });

  it.each([
    [
      "an answer",
      (schema: unknown) => ({ response_format: { type: "json_schema", json_schema: { schema } } }),
    ],
    ["a call", (parameters: unknown) => ({ tools: [{ type: "function", function: { parameters } }] })],
  ])("depends on the order of the properties that %s shall have", (_, fields) => {
    const schema = (...names: string[]) => ({
      properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    });
    const first = keyOfBody(fields(schema("reasoning", "verdict")));
    expect(first).not.toBe(keyOfBody(fields(schema("verdict", "reasoning"))));
  });

  it("changes with every field that is not on the list of ignored ones", () => {
    const ignored = ["model", "user", "metadata", "service_tier", "safety_identifier"];
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), (name, value) => {
        fc.pre(value !== null && value !== false && !ignored.includes(name) && !(name in body));
        fc.pre(!name.startsWith("__proto"));
        expect(keyOfBody({ [name]: value })).not.toBe(keyOf({}));
      }),
    );
    for (const name of ignored) expect(keyOfBody({ [name]: "x" })).toBe(keyOf({}));
  });

  it("takes absent, null and a false stream for the same, a true stream for another", () => {
    for (const same of [{ stream: false }, { stream: null }, { temperature: null }, { store: false }])
      expect(keyOfBody(same)).toBe(keyOf({}));
    expect(keyOfBody({ stream: true })).not.toBe(keyOf({}));
  });

  it.each([
    ["a temperature above 0", { temperature: 0.7 }],
    ["a temperature above 0 among Ollama's options", { options: { temperature: 0.7 } }],
    ["several answers", { n: 2, temperature: 0 }],
    ["storage at the provider", { store: true }],
    ["a hosted tool", { tools: [{ type: "web_search" }] }],
    ["web search", { web_search_options: {} }],
    ["audio output", { audio: { voice: "x" } }],
  ])("refuses %s", (_name, fields) => {
    expect(keyOfBody(fields)).toBeUndefined();
  });

  it.each([
    ["temperature 0", { temperature: 0 }],
    ["a temperature with a seed", { temperature: 0.7, seed: 1 }],
    ["a temperature and a seed among Ollama's options", { options: { temperature: 0.7, seed: 1 } }],
    ["a temperature 0 that overrides Ollama's options", { temperature: 0, options: { temperature: 0.7 } }],
    ["n = 1", { n: 1 }],
    ["the caller's own functions", { tools: [{ type: "function", function: { name: "f" } }] }],
  ])("accepts %s", (_name, fields) => {
    expect(keyOfBody(fields)).toBeTypeOf("string");
  });

  it("refuses other routes, bodies that are no object, and nesting that would exhaust the stack", () => {
    expect(keyOf({ route: "models" })).toBeUndefined();
    for (const odd of [undefined, null, 1, "x", []]) expect(keyOf({ body: odd })).toBeUndefined();
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(keyOfBody({ deep })).toBeUndefined();
  });
});
