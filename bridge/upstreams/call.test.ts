import type { Dispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../http/failure.ts";
import { type CallContext, UpstreamCall } from "./call.ts";
import type { AnswerSink } from "./sink.ts";
import type { Slot } from "./sockets.ts";

type Attempt = (handler: Dispatcher.DispatchHandler) => void;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const broken = (code: string) => Object.assign(new Error(code), { code });
const neverConnects =
  (code: string): Attempt =>
  (handler) =>
    handler.onResponseError?.(null as never, broken(code));
const answers: Attempt = (handler) => {
  const controller = { abort() {}, pause() {}, resume() {} } as never;
  handler.onRequestStart?.(controller, undefined);
  handler.onResponseStart?.(controller, 200, {}, "OK");
  handler.onResponseEnd?.(controller, {});
};
const breaksOff: Attempt = (handler) => {
  const controller = { abort() {}, pause() {}, resume() {} } as never;
  handler.onRequestStart?.(controller, undefined);
  handler.onResponseError?.(controller, broken("ECONNREFUSED"));
};

/** A call whose attempts end as told; what its sink and the pool heard. */
function call(...attempts: Attempt[]) {
  const heard: string[] = [];
  const failures: Failure[] = [];
  let dispatched = 0;
  const slot = {
    client: {
      dispatch(_: unknown, handler: Dispatcher.DispatchHandler) {
        attempts[dispatched++]?.(handler);
      },
    },
  } as unknown as Slot;
  let held = 0;
  const pool = {
    acquire() {
      held++;
      return slot;
    },
    release() {
      held--;
    },
    leave() {},
  };
  const sink: AnswerSink = {
    sent: () => heard.push("sent"),
    start: (status) => heard.push(`start ${status}`),
    data: () => true,
    end: () => heard.push("end"),
    fail: (failure: Failure) => {
      heard.push(failure.code);
      failures.push(failure);
    },
  };
  const counted: string[] = [];
  const counter = (code: string) => [code, { inc: () => counted.push(code) }] as const;
  const context = {
    upstream: "model",
    pool,
    firstByteMs: 0,
    idleMs: 0,
    responses: Object.fromEntries(["2xx", "error"].map(counter)),
  } as unknown as CallContext;
  const made = new UpstreamCall(context, { method: "POST", path: "/", headers: {}, body: null }, sink);
  made.begin();
  return { made, heard, failures, counted, dispatched: () => dispatched, held: () => held };
}

describe("a connection that cannot be made", () => {
  it.each(["ECONNREFUSED", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"])("%s: is tried once more", (code) => {
    const { heard, counted, held } = call(neverConnects(code), answers);
    expect(heard).toEqual(["sent"]);
    // Whoever waits may have the place meanwhile.
    expect(held()).toBe(0);
    vi.advanceTimersByTime(200);
    expect(heard).toEqual(["sent", "start 200", "end"]);
    expect(counted).toEqual(["2xx"]);
    expect(held()).toBe(0);
  });

  it("is a failure the second time", () => {
    const { heard, counted, dispatched } = call(neverConnects("ECONNREFUSED"), neverConnects("ECONNREFUSED"));
    vi.advanceTimersByTime(10_000);
    expect(heard).toEqual(["sent", "upstream_unreachable"]);
    expect(counted).toEqual(["error"]);
    expect(dispatched()).toBe(2);
  });

  it("is not tried again for a caller who has gone", () => {
    const { made, heard, dispatched } = call(neverConnects("ECONNREFUSED"), answers);
    made.abort();
    vi.advanceTimersByTime(10_000);
    expect([heard, dispatched()]).toEqual([["sent"], 1]);
  });

  it.each([
    ["ENOTFOUND", "correct the host in the upstream's url"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "write a host that its certificate holds"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "build the certificate of its authority into"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "build the certificate of its authority into"],
    ["CERT_HAS_EXPIRED", "renew the upstream's certificate"],
  ])("%s: is not tried again, and is a broken configuration of the bridge", (code, remedy) => {
    const { heard, failures } = call(neverConnects(code), answers);
    expect(heard).toEqual(["sent", "upstream_unreachable"]);
    expect(failures).toMatchObject([{ status: 502, domain: "bridge" }]);
    expect(failures[0]?.message).toContain(`(${code}); ${remedy}`);
  });

  it("is the upstream's fault where DNS does not answer", () => {
    const { failures } = call(neverConnects("EAI_AGAIN"), neverConnects("EAI_AGAIN"));
    vi.advanceTimersByTime(10_000);
    expect(failures).toMatchObject([{ domain: "upstream", code: "upstream_unreachable" }]);
  });
});

it("a request that has left is never sent twice", () => {
  const { heard, dispatched } = call(breaksOff, answers);
  vi.advanceTimersByTime(10_000);
  expect([heard, dispatched()]).toEqual([["sent", "upstream_unreachable"], 1]);
});
