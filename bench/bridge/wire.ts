/** The bytes that the benchmark's ends exchange. Chosen so that an end is found without parsing. */

/** Ends every request body; occurs nowhere else. */
export const END_OF_REQUEST = '"end-of-request"}';

/** Ends every answer. */
export const END_OF_ANSWER = '"end-of-answer"}';

const question = `{"model":"m","temperature":1,"messages":[{"role":"system","content":"${"You are brief. ".repeat(20)}"},{"role":"user","content":"${"Why is the sky blue? ".repeat(10)}"}],"user":${END_OF_REQUEST}`;

/** One chat request of about 600 bytes of body. Its temperature keeps it out of the cache. */
export function requestBytes(host: string): Buffer {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nauthorization: Bearer key\r\ncontent-length: ${Buffer.byteLength(question)}\r\n\r\n`;
  return Buffer.from(head + question);
}

const answer = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"${"Because blue light is scattered more. ".repeat(12)}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":84,"total_tokens":174},"system_fingerprint":${END_OF_ANSWER}`;

/** One answer of about 700 bytes of body. */
export const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answer)}\r\nconnection: keep-alive\r\n\r\n${answer}`,
);
