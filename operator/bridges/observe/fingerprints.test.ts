import { expect, it } from "vitest";
import { fingerprintWith } from "./fingerprints.ts";

const secret = { namespace: "ai", name: "openai" };
const key = Buffer.alloc(32, 1);

it("is the same for the same content under the same key, in whatever order it comes", () => {
  const of = fingerprintWith(key);
  expect(of(secret, { a: "MQ==", b: "Mg==" })).toBe(of(secret, { b: "Mg==", a: "MQ==" }));
  expect(of(secret, { a: "MQ==" })).toMatch(/^[0-9a-f]{32}$/);
  expect(of(secret, { a: "MQ==" })).not.toBe(of(secret, { a: "Mg==" }));
});

it("tells nobody without the key, nor that two Secrets hold the same", () => {
  const data = { token: "aHVudGVyMg==" };
  expect(fingerprintWith(key)(secret, data)).not.toBe(fingerprintWith(Buffer.alloc(32, 2))(secret, data));
  expect(fingerprintWith(key)(secret, data)).not.toBe(
    fingerprintWith(key)({ ...secret, name: "other" }, data),
  );
  expect(fingerprintWith(key)(secret, data)).not.toBe(
    fingerprintWith(key)({ ...secret, namespace: "other" }, data),
  );
});
