import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readKeys, signatureHeaders } from "./signature.ts";

let folder = "";
let file = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-keys-"));
  file = join(folder, "key");
});
afterAll(() => rm(folder, { recursive: true }));

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("signatureHeaders", () => {
  it("signs as the vectors of Standard Webhooks do", async () => {
    await writeFile(file, `${KEY}\n`);
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    expect(signatureHeaders(await readKeys(file), id, '{"test": 2432232314}', 1_614_265_330_999)).toEqual({
      "webhook-id": id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("signs with every key while they are exchanged, and with none where there is none", async () => {
    await writeFile(file, `whsec_${Buffer.alloc(32, 7).toString("base64")}\n\n${KEY}\n`);
    const { "webhook-signature": signature = "" } = signatureHeaders(await readKeys(file), "a", "b", 0);
    expect(signature.split(" ")).toHaveLength(2);
    expect(signatureHeaders([], "a", "b", 5_000)).toEqual({ "webhook-id": "a", "webhook-timestamp": "5" });
  });
});

describe("readKeys", () => {
  it.each([
    "",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_c2hvcnQ=",
    `whsec_${"A".repeat(100)}`,
    "whsec_not/base64!!notbase64!!notbase64!!",
    `${KEY}\nhunter2`,
  ])("takes %j for no keys, and says how to make one and nothing of it", async (text) => {
    await writeFile(file, text);
    const failure = await readKeys(file).then(String, String);
    expect(failure).toContain("openssl rand -base64 32");
    expect(failure).not.toMatch(/hunter2|MfKQ|c2hv|not\/base64/);
  });
});
