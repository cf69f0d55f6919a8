import { describe, expect, it, vi } from "vitest";
import type { UsageRecord } from "../usage/usage.ts";
import { createUsageMeter, type Metered } from "./meter.ts";

const metered: Metered = {
  tenant: "t",
  route: "chat",
  upstream: "up",
  request: {
    body: Buffer.alloc(0),
    json: { messages: [{ content: "one two" }, { content: [{ type: "text", text: "three" }] }] },
    model: "m",
    stream: false,
    requestId: "r",
  },
  status: 200,
  durationMs: 5,
  cache: "off",
  tokens: undefined,
  text: "",
  chunks: 0,
};

function recorder() {
  const records: UsageRecord[] = [];
  const counted: (readonly string[])[] = [];
  const meter = createUsageMeter(
    { record: (record) => void records.push(record) },
    {
      countTokens: async ({ texts }) => {
        counted.push(texts);
        return texts.length === 0 ? 0 : texts.join(" ").split(" ").length;
      },
    },
    () => undefined,
  );
  return { records, counted, meter };
}

describe("a usage record", () => {
  it("holds the tokens that the upstream counted, from its translator or from its answer", () => {
    const { records, counted, meter } = recorder();
    meter.record({ ...metered, tokens: { promptTokens: 3, completionTokens: 4 } });
    meter.record({ ...metered, text: '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}' });
    expect(records).toMatchObject([
      { tenant: "t", model: "m", upstream: "up", promptTokens: 3, completionTokens: 4 },
      { promptTokens: 5, completionTokens: 6 },
    ]);
    expect(counted).toEqual([]);
  });

  it("holds counted tokens where the upstream gave none: texts of the request, and of the answer or its chunks", async () => {
    const { records, counted, meter } = recorder();
    meter.record({ ...metered, chunks: 13 });
    await expect.poll(() => records).toMatchObject([{ promptTokens: 3, completionTokens: 10 }]);
    expect(counted).toEqual([["one two", "three"]]);
    meter.record({ ...metered, text: '{"choices":[{"message":{"content":"four five"}}]}' });
    await expect.poll(() => records[1]).toMatchObject({ promptTokens: 3, completionTokens: 2 });
    expect(counted.at(-1)).toEqual(["four five"]);
  });

  it.each([
    ["the caller left a stream", { status: 499, chunks: 13 }, 10],
    ["a stream broke off", { status: 502, chunks: 13 }, 10],
    ["the caller left an answer in one piece", { status: 499, text: '{"choices":[{"mess' }, 0],
  ])("holds counted tokens for an answer that had begun when %s", async (_, answered, completionTokens) => {
    const { records, meter } = recorder();
    meter.record({ ...metered, ...answered });
    await expect.poll(() => records).toMatchObject([{ promptTokens: 3, completionTokens }]);
  });

  it("is written with what is known where a count fails, which is told", async () => {
    const records: UsageRecord[] = [];
    const onError = vi.fn();
    const busy = new Error("the queue of jobs is full");
    const countTokens = vi.fn().mockRejectedValue(busy);
    const meter = createUsageMeter({ record: (one) => void records.push(one) }, { countTokens }, onError);
    meter.record({ ...metered, chunks: 13 });
    await expect.poll(() => records).toMatchObject([{ tenant: "t", promptTokens: 0, completionTokens: 10 }]);
    expect(onError.mock.calls).toEqual([[busy]]);
    countTokens.mockImplementation(() => {
      throw busy;
    });
    meter.record({ ...metered, text: '{"choices":[]}' });
    await expect.poll(() => records[1]).toMatchObject({ status: 200, promptTokens: 0, completionTokens: 0 });
  });

  it.each([502, 499])("holds none for a request that failed before its answer began (%i)", (status) => {
    const { records, counted, meter } = recorder();
    meter.record({ ...metered, status });
    expect(records).toMatchObject([{ status, promptTokens: 0, completionTokens: 0 }]);
    expect(counted).toEqual([]);
  });
});
