import { createHmac } from "node:crypto";
import { CredentialError, readMounted } from "./credential-file.ts";

/** Standard Webhooks: 24 to 64 random bytes in base64 behind this. */
const PREFIX = "whsec_";
const [LEAST_BYTES, MOST_BYTES] = [24, 64];

/**
 * The keys of a file, one a line; while a key is exchanged both sign, the new one first.
 * @throws CredentialError where the file cannot be read or a line is no key
 */
export async function readKeys(file: string): Promise<readonly Buffer[]> {
  const lines = (await readMounted(file, "secretFile")).split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "").map(keyOf);
  if (keys.length === 0 || keys.some((key) => key === undefined)) {
    throw new CredentialError(
      `The file of secretFile must hold a key on each line, ${PREFIX} and the base64 of ${LEAST_BYTES} to ${MOST_BYTES} bytes; make one with: echo "${PREFIX}$(openssl rand -base64 32)"`,
    );
  }
  return keys.filter((key) => key !== undefined);
}

function keyOf(line: string): Buffer | undefined {
  const text = line.slice(PREFIX.length);
  const key = Buffer.from(text, "base64");
  const whole =
    line.startsWith(PREFIX) && key.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "");
  return whole && key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
}

/** The headers by which a receiver knows the sender, and refuses what was changed or is sent again later. */
export function signatureHeaders(
  keys: readonly Buffer[],
  id: string,
  body: string,
  nowMs: number,
): Record<string, string> {
  const seconds = Math.floor(nowMs / 1000);
  const sign = (key: Buffer) =>
    `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    ...(keys.length === 0 ? {} : { "webhook-signature": keys.map(sign).join(" ") }),
  };
}
