import { describe, expect, it } from "vitest";
import { countTokensHere, encodeCount } from "./tokens.ts";

const count = (model: string, ...texts: string[]) => countTokensHere(encodeCount({ model, texts }));

describe("countTokensHere", { timeout: 60_000 }, () => {
  it("counts as OpenAI's tokenizer does, by the model's vocabulary", async () => {
    // "antidisestablishmentarianism" is 6 tokens in cl100k (OpenAI cookbook, "How to count tokens") and 6 in o200k;
    // "お誕生日おめでとう" is 9 in cl100k and 8 in o200k (same page).
    expect(await count("gpt-4", "antidisestablishmentarianism")).toBe(6);
    expect(await count("gpt-4", "お誕生日おめでとう")).toBe(9);
    expect(await count("gpt-4o", "お誕生日おめでとう")).toBe(8);
    expect(await count("some-local-model", "お誕生日おめでとう")).toBe(8);
  });

  it("sums texts, and takes nothing for nothing", async () => {
    expect(await count("gpt-4", "antidisestablishmentarianism", "", "お誕生日おめでとう")).toBe(15);
    expect(await count("gpt-4")).toBe(0);
  });

  it("counts long texts in slices: exactly where there are spaces, to a token a cut where there are none", async () => {
    const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
    const prose = Array.from(
      { length: 3_000 },
      (_, i) => `word${i % 97} ${"lorem ipsum, dolor".slice(i % 12)}.`,
    ).join(" ");
    expect(await count("gpt-4o", prose)).toBe(countTokens(prose));
    const unbroken = "お誕生日おめでとう".repeat(1_000);
    const cuts = Buffer.byteLength(unbroken) / 1_024;
    expect(Math.abs((await count("gpt-4o", unbroken)) - countTokens(unbroken))).toBeLessThanOrEqual(2 * cuts);
  });
});
