import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HEADERS } from "../../contract/endpoints.ts";
import { METRICS } from "../../contract/metrics.ts";
import { type FilesSpec, type RunningBridge, runBridge } from "../testing/bridge.ts";
import { chunkEvent, completion, DONE_EVENT, type Model, startModel, stream } from "../testing/model.ts";

let model: Model;
let bridge: RunningBridge;

beforeEach(async () => {
  model = await startModel(completion("hi"));
});
afterEach(async () => {
  await bridge?.close();
  await model.close();
});

async function start(spec: Omit<FilesSpec, "upstreams"> & { upstream?: object } = {}): Promise<void> {
  const { upstream, ...rest } = spec;
  bridge = await runBridge({ upstreams: [{ name: "openai", url: `${model.url}/v1`, ...upstream }], ...rest });
}

const question = { model: "m", messages: [{ role: "user", content: "hello" }] };

function post(
  body: unknown,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${bridge.url}/v1/chat/completions`, { method: "POST", body: text, ...init });
}

/** A POST whose response can be read piece by piece. */
async function open(body: unknown): Promise<{ response: IncomingMessage; destroy(): void }> {
  const sent = httpRequest(`${bridge.url}/v1/chat/completions`, { method: "POST" });
  sent.end(JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { response, destroy: () => sent.destroy() };
}

async function errorOf(response: Response): Promise<{ code: string; message: string; param: unknown }> {
  return ((await response.json()) as { error: { code: string; message: string; param: unknown } }).error;
}

const errors = (domain: string) => bridge.metric(METRICS.errors, { route: "chat", domain });
const finished = () => bridge.metric(METRICS.requests, { route: "chat", cache: "off" });

describe("an answer in one piece", () => {
  it("passes body and status on unchanged, with our headers", async () => {
    await start();
    const response = await post(question, { headers: { [HEADERS.requestId]: "mine-1" } });
    expect(response.status).toBe(200);
    expect(response.headers.get(HEADERS.revision)).toBe("abc123");
    expect(response.headers.get(HEADERS.requestId)).toBe("mine-1");
    expect(response.headers.get(HEADERS.cache)).toBe("off");
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "hi" } }] });
    expect(model.received[0]).toMatchObject({
      path: "/v1/chat/completions",
      text: JSON.stringify(question),
      headers: { "x-request-id": "mine-1" },
    });
    await expect.poll(finished).toBe(1);
  });

  it("does not pass the caller's credential on", async () => {
    await start();
    await post(question, { headers: { authorization: "Bearer of-the-caller" } });
    expect(model.received[0]?.headers.authorization).toBeUndefined();
  });

  it.each(["zstd", "br", "gzip"])(
    "is compressed with %s where the caller takes it and the answer is large",
    async (encoding) => {
      model.answer = completion("long ".repeat(2_000));
      await start();
      const response = await post(question, { headers: { "accept-encoding": encoding } });
      expect(response.headers.get("content-encoding")).toBe(encoding);
      expect(response.headers.get("vary")).toBe("accept-encoding");
      expect(await response.json()).toMatchObject({
        choices: [{ message: { content: "long ".repeat(2_000) } }],
      });
    },
  );

  it("is not compressed when it is small", async () => {
    await start();
    const response = await post(question, { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBeNull();
  });
});

describe("a stream", () => {
  it("reaches the client byte for byte, wherever its chunks are cut", async () => {
    const text = `: comment\r\n\r\n${chunkEvent("Grüße, 世界 🌍")}${chunkEvent('quote \\" and \\n')}${DONE_EVENT}`;
    const bytes = Buffer.from(text);
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]));
    model.answer = stream(...pieces);
    await start();
    const response = await post({ ...question, stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    await expect.poll(finished).toBe(1);
    expect(await errors("upstream")).toBe(0);
  });

  it("sends each piece when it comes, and counts the open stream", async () => {
    const { promise: more, resolve: goOn } = Promise.withResolvers<void>();
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
      void more.then(() => response.end(DONE_EVENT));
    };
    await start();
    const { response } = await open({ ...question, stream: true });
    const [first] = await once(response, "data");
    expect(String(first)).toBe(chunkEvent("one"));
    expect(await bridge.metric(METRICS.openStreams, { kind: "sse" })).toBe(1);
    expect(await bridge.metric(METRICS.inFlight)).toBe(1);
    goOn();
    response.resume();
    await once(response, "end");
    await expect.poll(() => bridge.metric(METRICS.openStreams, { kind: "sse" })).toBe(0);
  });

  it("is not complete for the client when the upstream resets it, and says why without a terminal event", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"), () => response.socket?.resetAndDestroy());
    };
    await start();
    const { response } = await open({ ...question, stream: true });
    let text = "";
    response.on("data", (chunk) => {
      text += String(chunk);
    });
    const [error] = await once(response, "error");
    expect((error as NodeJS.ErrnoException).code).toBe("ECONNRESET");
    expect(response.complete).toBe(false);
    expect(text).toContain('"code":"upstream_reset"');
    expect(text).not.toContain("[DONE]");
    await expect.poll(() => errors("upstream")).toBe(1);
    expect(await finished()).toBe(1);
    expect(await bridge.metric(METRICS.cutConnections, { reason: "error" })).toBe(1);
  });

  it("is not complete for the client when it ends without its terminal event", async () => {
    model.answer = stream(chunkEvent("[DONE]"));
    await start();
    const { response } = await open({ ...question, stream: true });
    response.resume();
    await once(response, "error");
    await expect.poll(() => errors("upstream")).toBe(1);
  });

  it("waits for a slow client without holding the answer in memory", async () => {
    const piece = Buffer.from(chunkEvent("x".repeat(64 * 1024)));
    const total = 64 * 1024 * 1024;
    let written = 0;
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (): void => {
        while (written < total) {
          written += piece.length;
          if (!response.write(piece)) {
            response.once("drain", write);
            return;
          }
        }
        response.end(DONE_EVENT);
      };
      write();
    };
    await start();
    const { response } = await open({ ...question, stream: true });
    response.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const stalled = written > 0 && written === before;
          before = written;
          return stalled;
        },
        { interval: 200 },
      )
      .toBe(true);
    // What lies in between are the buffers of sockets on three ends, not the answer.
    expect(written).toBeLessThan(total / 4);
    let received = 0;
    response.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    response.resume();
    await once(response, "end");
    expect(received).toBe(written + DONE_EVENT.length);
  });
});

describe("a caller that goes away", () => {
  const cases = [
    ["before the first byte", () => undefined],
    [
      "after the headers",
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
      },
    ],
    [
      "in the middle of the stream",
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(chunkEvent("one"));
      },
    ],
  ] as const;

  it.each(cases)("%s ends the call to the upstream within 100 ms", async (_name, answer) => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    model.answer = (response) => {
      answer(response);
      resolve();
    };
    await start();
    const caller = new AbortController();
    const answered = post({ ...question, stream: true }, { signal: caller.signal }).then((response) =>
      response.text(),
    );
    answered.catch(() => undefined);
    await asked;
    const since = performance.now();
    caller.abort();
    await model.received[0]?.aborted;
    expect(performance.now() - since).toBeLessThan(100);
    await expect.poll(() => errors("client")).toBe(1);
    expect(await errors("upstream")).toBe(0);
    expect(await finished()).toBe(1);
    expect(await bridge.metric(METRICS.poolSize, { pool: "http-openai" })).toBe(0);
  });

  it("while it waits for a slot never reaches the upstream", async () => {
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    model.answer = (response, received) => void free.then(() => completion("hi")(response, received));
    await start({ upstream: { maxConcurrency: 1 } });
    const first = post(question);
    await expect.poll(() => model.received.length).toBe(1);
    const caller = new AbortController();
    const second = post(question, { signal: caller.signal });
    second.catch(() => undefined);
    await expect.poll(() => bridge.metric(METRICS.poolWaiting, { pool: "http-openai" })).toBe(1);
    caller.abort();
    await expect.poll(() => bridge.metric(METRICS.poolWaiting, { pool: "http-openai" })).toBe(0);
    release();
    expect((await first).status).toBe(200);
    expect(model.received.length).toBe(1);
  });

  it("leaves no slot behind, however many do so", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
    };
    await start({ upstream: { maxConcurrency: 2 } });
    for (let round = 0; round < 10; round++) {
      const { response, destroy } = await open({ ...question, stream: true });
      await once(response, "data");
      response.on("error", () => undefined);
      destroy();
    }
    model.answer = completion("hi");
    expect((await post(question)).status).toBe(200);
  });
});

describe("an upstream that fails", () => {
  it("passes 429 and 5xx on with Retry-After, as the upstream's fault", async () => {
    await start();
    for (const status of [429, 503]) {
      model.answer = (response) => {
        response.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
        response.end('{"error":{"message":"busy","type":"x","param":null,"code":null}}');
      };
      const response = await post(question);
      expect(response.status).toBe(status);
      expect(response.headers.get("retry-after")).toBe("7");
      expect((await errorOf(response)).message).toBe("busy");
    }
    await expect.poll(() => errors("upstream")).toBe(2);
    expect(await bridge.metric(METRICS.upstreamResponses, { upstream: "openai", code: "4xx" })).toBe(1);
    expect(await bridge.metric(METRICS.upstreamResponses, { upstream: "openai", code: "5xx" })).toBe(1);
  });

  it("is a broken configuration of the bridge when it refuses the bridge's credentials", async () => {
    model.answer = (response) => void response.writeHead(401).end();
    await start();
    const response = await post(question);
    expect(response.status).toBe(502);
    expect((await errorOf(response)).code).toBe("upstream_credentials");
    await expect.poll(() => errors("bridge")).toBe(1);
  });

  it.each([
    [false, "/v1/chat/completions"],
    [true, "/v1/chat/completions"],
    [false, "/v1/embeddings"],
  ])(
    "is a broken configuration of the bridge when it redirects (stream: %j, %s)",
    async (streaming, path) => {
      model.answer = (response) => {
        response
          .writeHead(308, { location: `https://u:secret@models.example${path}?key=secret` })
          .end("moved");
      };
      await start();
      const response = await fetch(`${bridge.url}${path}`, {
        method: "POST",
        redirect: "manual",
        body: JSON.stringify({ ...question, input: "x", stream: streaming }),
      });
      expect(response.status).toBe(502);
      expect(await errorOf(response)).toMatchObject({
        code: "upstream_redirect",
        message: `Upstream openai redirects (308) to https://models.example${path}, and the bridge follows no redirects; write https://models.example/v1 as the upstream's url.`,
      });
      const route = path.endsWith("embeddings") ? "embeddings" : "chat";
      await expect.poll(() => bridge.metric(METRICS.errors, { route, domain: "bridge" })).toBe(1);
      expect(await bridge.metric(METRICS.upstreamResponses, { upstream: "openai", code: "3xx" })).toBe(1);
    },
  );

  it.each(["text/html", "Text/HTML; charset=utf-8"])(
    "is a broken configuration of the bridge when it answers with a page (%s)",
    async (type) => {
      model.answer = (response) =>
        response.writeHead(200, { "content-type": type }).end("<html>welcome</html>");
      await start();
      for (const stream of [false, true]) {
        const response = await post({ ...question, stream });
        expect(response.status).toBe(502);
        expect(await errorOf(response)).toMatchObject({
          code: "upstream_page",
          message: `Upstream openai answered with a web page; correct its url (${model.url}/v1), or look for what answers on the way in its stead.`,
        });
      }
      await expect.poll(() => errors("bridge")).toBe(2);
    },
  );

  it.each([
    [404, "text/plain", "OpenAI", "/v1/chat/completions"],
    [404, "text/plain", "Ollama", "/v1/api/chat"],
    [405, "text/html", "OpenAI", "/v1/chat/completions"],
    [404, undefined, "OpenAI", "/v1/chat/completions"],
  ] as const)(
    "is a broken configuration of the bridge when it has no API there (%i, %s, %s)",
    async (status, type, protocol, path) => {
      model.answer = (response) =>
        response.writeHead(status, type && { "content-type": type }).end("404 page not found");
      await start({ upstream: { protocol } });
      for (const stream of [false, true]) {
        const response = await post({ ...question, stream });
        expect(response.status).toBe(502);
        expect(await errorOf(response)).toMatchObject({
          code: "upstream_page",
          message: `Upstream openai has no API at ${path} (${status}); correct its url (${model.url}/v1), or look for what answers on the way in its stead.`,
        });
      }
      await expect.poll(() => errors("bridge")).toBe(2);
      expect(await bridge.metric(METRICS.upstreamResponses, { upstream: "openai", code: "4xx" })).toBe(2);
    },
  );

  it("passes on a 404 that is JSON, as the caller's fault: the model is not there", async () => {
    const body = '{"error":{"message":"no such model"}}';
    model.answer = (response) => response.writeHead(404, { "content-type": "application/json" }).end(body);
    await start();
    const response = await post(question);
    expect([response.status, await response.text()]).toEqual([404, body]);
    await expect.poll(() => errors("client")).toBe(1);
  });

  it("passes on a page that comes with an error, as the upstream's fault", async () => {
    model.answer = (response) =>
      response.writeHead(503, { "content-type": "text/html" }).end("<html>sorry</html>");
    await start();
    const response = await post(question);
    expect([response.status, await response.text()]).toEqual([503, "<html>sorry</html>"]);
    await expect.poll(() => errors("upstream")).toBe(1);
  });

  const reported = (said: string): string => JSON.stringify({ error: { message: said, code: 500 } });
  it.each([
    ["an event", [chunkEvent("par"), `data: ${reported("the engine died")}\n\n`, DONE_EVENT]],
    ["the reason of its end", [chunkEvent("par"), chunkEvent("", "error"), DONE_EVENT]],
  ])(
    "reports an error within a stream, by %s: the caller reads it, and it counts as the upstream's",
    async (_, events) => {
      model.answer = stream(...events);
      await start();
      const response = await post({ ...question, stream: true });
      expect(await response.text()).toBe(events.join(""));
      await expect.poll(() => errors("upstream")).toBe(1);
    },
  );

  it.each([{}, { cacheTtlMs: 60_000 }])("reports an error with status 200: the same (%j)", async (spec) => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(reported("no provider"));
    };
    await start(spec);
    const response = await post(question);
    expect(response.status).toBe(200);
    expect((await errorOf(response)).message).toBe("no provider");
    await expect.poll(() => errors("upstream")).toBe(1);
  });

  it("is given up when no first byte comes in time, headers or not", async () => {
    await start({ upstream: { timeouts: { firstByteMs: 100 } } });
    for (const answer of [
      () => undefined,
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
      },
    ]) {
      model.answer = answer;
      const response = await post({ ...question, stream: true });
      expect(response.status).toBe(504);
      expect((await errorOf(response)).code).toBe("upstream_first_byte_timeout");
    }
    await Promise.all(model.received.map((received) => received.aborted));
    await expect.poll(() => errors("upstream")).toBe(2);
    expect(await bridge.metric(METRICS.openStreams, { kind: "sse" })).toBe(0);
  });

  it("is given up when it pauses too long within a stream", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
    };
    await start({ upstream: { timeouts: { idleMs: 100 } } });
    const { response } = await open({ ...question, stream: true });
    let text = "";
    response.on("data", (chunk) => {
      text += String(chunk);
    });
    await once(response, "error");
    expect(text).toContain('"code":"upstream_idle_timeout"');
    await expect.poll(() => errors("upstream")).toBe(1);
  });

  it("is told apart when it cannot be reached", async () => {
    await start({ upstream: { url: "http://127.0.0.1:1/v1" } });
    const response = await post(question);
    expect(response.status).toBe(502);
    expect((await errorOf(response)).code).toBe("upstream_unreachable");
  });

  it("is an error of the bridge when too many requests wait for it", async () => {
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    model.answer = (response, received) => void free.then(() => completion("hi")(response, received));
    await start({ upstream: { maxConcurrency: 1 } });
    const waiting = Array.from({ length: 17 }, () => post(question));
    await expect.poll(() => bridge.metric(METRICS.poolWaiting, { pool: "http-openai" })).toBe(16);
    const refused = await post(question);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await errorOf(refused)).code).toBe("bridge_overloaded");
    release();
    expect((await Promise.all(waiting)).map((response) => response.status)).toEqual(Array(17).fill(200));
    await expect.poll(() => errors("bridge")).toBe(1);
  });
});

describe("a request that is refused", () => {
  it("names the place where the body stops being JSON, and quotes nothing of it", async () => {
    await start();
    const response = await post('{"model": "m",\n "messages": [secret]}');
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    expect(error.message).toBe(
      "body: not valid JSON, it goes wrong at line 2, column 15; send a JSON object.",
    );
  });

  it.each([
    [[], "body: not a JSON object", null],
    [{ messages: [] }, "model: missing", "model"],
    [{ model: "m" }, "messages: missing", "messages"],
    [{ ...question, stream: "yes" }, "stream: not a boolean", "stream"],
  ])("says what is wrong with %j", async (body, message, param) => {
    await start();
    const error = await errorOf(await post(body));
    expect(error.message).toContain(message);
    expect(error.param).toBe(param);
    expect(model.received).toHaveLength(0);
  });

  it("is too large, by its declared length or by what comes", async () => {
    await start({ bodyBytes: 2_000 });
    const large = JSON.stringify({ ...question, padding: "x".repeat(4_000) });
    const declared = await post(large);
    expect(declared.status).toBe(413);
    expect((await errorOf(declared)).code).toBe("body_too_large");
    const chunked = await fetch(`${bridge.url}/v1/chat/completions`, {
      method: "POST",
      body: new Blob([large]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(chunked.status).toBe(413);
    await expect.poll(() => errors("client")).toBe(2);
    expect(model.received).toHaveLength(0);
  });

  it("names the models there are when it asks for another", async () => {
    await start({ upstream: { models: ["small", "large"] } });
    const response = await post({ ...question, model: "huge" });
    expect(response.status).toBe(404);
    const error = await errorOf(response);
    expect(error.code).toBe("model_not_found");
    expect(error.message).toBe('model: "huge" is served by no upstream; use one of: small, large.');
  });

  it("asks for a route or a method that does not exist", async () => {
    await start();
    expect((await fetch(`${bridge.url}/v1/nothing`)).status).toBe(404);
    const wrongMethod = await fetch(`${bridge.url}/v1/chat/completions`);
    expect(wrongMethod.status).toBe(405);
    expect(wrongMethod.headers.get("allow")).toBe("POST");
  });

  it("counts once when the client breaks off its body", async () => {
    await start();
    const socket = connect(Number(new URL(bridge.url).port), "127.0.0.1");
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    await expect.poll(() => bridge.metric(METRICS.inFlight)).toBe(1);
    socket.destroy();
    await expect.poll(() => errors("client")).toBe(1);
    expect(await finished()).toBe(1);
  });
});

describe("a cached answer", () => {
  const cacheable = { ...question, temperature: 0 };

  it("is served to the same tenant only, and counted as a hit", async () => {
    await start({ cacheTtlMs: 60_000 });
    const tenant = (name: string) => ({ headers: { [HEADERS.tenant]: name } });
    const first = await post(cacheable, tenant("a"));
    expect(first.headers.get(HEADERS.cache)).toBe("miss");
    const text = await first.text();
    const second = await post(cacheable, tenant("a"));
    expect(second.headers.get(HEADERS.cache)).toBe("hit");
    expect(await second.text()).toBe(text);
    expect((await post(cacheable, tenant("b"))).headers.get(HEADERS.cache)).toBe("miss");
    expect(model.received).toHaveLength(2);
    expect(await bridge.metric(METRICS.requests, { route: "chat", cache: "hit" })).toBe(1);
  });

  it("is a stream for a stream and one piece for one piece", async () => {
    const events = [chunkEvent("one"), chunkEvent("two", "stop"), DONE_EVENT];
    model.answer = (response, received) =>
      (received.text.includes('"stream":true') ? stream(...events) : completion("hi"))(response, received);
    await start({ cacheTtlMs: 60_000 });
    for (const expected of ["miss", "hit"]) {
      const streamed = await post({ ...cacheable, stream: true });
      expect(streamed.headers.get(HEADERS.cache)).toBe(expected);
      expect(streamed.headers.get("content-type")).toBe("text/event-stream");
      expect(await streamed.text()).toBe(events.join(""));
      const whole = await post(cacheable);
      expect(whole.headers.get(HEADERS.cache)).toBe(expected);
      expect(await whole.json()).toMatchObject({ choices: [{ message: { content: "hi" } }] });
    }
  });

  it("is never made from a failure, a stream without its end, or an answer that was cut short", async () => {
    await start({ cacheTtlMs: 60_000 });
    const short = completion("hi");
    const answers = [
      (response: import("node:http").ServerResponse) => void response.writeHead(500).end("{}"),
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end('{"choices":[{"finish_reason":"length"}]}');
      },
      short,
    ];
    for (const answer of answers) {
      model.answer = answer;
      expect((await post(cacheable)).headers.get(HEADERS.cache)).toBe("miss");
    }
    expect((await post(cacheable)).headers.get(HEADERS.cache)).toBe("hit");
  });

  it("is never made from a stream that reports an error, or where a page came", async () => {
    await start({ cacheTtlMs: 60_000 });
    const failed = stream(chunkEvent("one"), 'data: {"error":{"code":500}}\n\n', DONE_EVENT);
    const page = (response: import("node:http").ServerResponse) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>maintenance</html>");
    };
    const whole = stream(chunkEvent("one", "stop"), DONE_EVENT);
    for (const answer of [failed, page, whole]) {
      model.answer = answer;
      const response = await post({ ...cacheable, stream: true });
      await response.text();
      expect(response.headers.get(HEADERS.cache)).toBe("miss");
    }
    expect((await post({ ...cacheable, stream: true })).headers.get(HEADERS.cache)).toBe("hit");
  });

  it.each([
    ["no-store", "no-cache"],
    ["No-Store", "max-age=0, No-Cache"],
  ])(
    "is neither read nor written for a caller that says %s, and refreshed for one that says %s",
    async (noStore, noCache) => {
      await start({ cacheTtlMs: 60_000 });
      const control = (value: string) => ({ headers: { "cache-control": value } });
      expect((await post(cacheable, control(noStore))).headers.get(HEADERS.cache)).toBe("off");
      expect((await post(cacheable)).headers.get(HEADERS.cache)).toBe("miss");
      model.answer = completion("fresh");
      expect((await post(cacheable, control(noCache))).headers.get(HEADERS.cache)).toBe("miss");
      const after = await post(cacheable);
      expect(after.headers.get(HEADERS.cache)).toBe("hit");
      expect(await after.text()).toContain("fresh");
    },
  );
});
