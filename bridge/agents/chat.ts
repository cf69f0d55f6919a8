import type { IncomingHttpHeaders } from "node:http";
import type { FaultDomain } from "../../contract/metrics.ts";
import { startDeadline } from "../http/deadline.ts";
import { bridgeFailure, errorObject, type Failure, warnOf } from "../http/failure.ts";
import { checkModelRequest } from "../http/model-request.ts";
import type { Service } from "../http/service.ts";
import {
  credentialsRefused,
  domainOfStatus,
  errorWithin,
  incompleteStream,
  requestTimeout,
} from "../http/verdict.ts";
import { isNestedDeeper, MAX_NESTING } from "../json-value.ts";
import type { Account } from "../metrics/account.ts";
import { EventReader } from "../stream/events.ts";
import { textDeclaresError } from "../stream/tally.ts";
import { findUsage } from "../stream/usage.ts";
import type { UpstreamCall } from "../upstreams/call.ts";
import type { ModelRequest } from "../upstreams/protocol.ts";
import type { AnswerSink, TokenCount } from "../upstreams/sink.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import type { AgentMessageId } from "./message.ts";

/** Where the messages of a chat go. */
export interface ChatOutlet {
  /** Whether no further message can be taken now; `AgentChat.resume` is called when that ends. */
  readonly full: boolean;
  /** @param fields The message's fields as JSON, without braces. */
  send(fields: string): void;
  /** The chat has sent its last message. */
  finished(id: AgentMessageId): void;
}

/** Largest error body of an upstream that is read, in bytes. */
const ERROR_BYTES = 64 * 1024;

/** One chat of an agent: a request to an upstream whose streamed answer becomes `delta` messages, then `done` or `error`. */
export class AgentChat implements AnswerSink {
  readonly #service: Service;
  readonly #outlet: ChatOutlet;
  readonly #id: AgentMessageId;
  readonly #idJson: string;
  readonly #tenant: string;
  readonly #requestId: string;
  readonly #account: Account;
  readonly #events = new EventReader();
  #request: ModelRequest | undefined;
  #upstream: Upstream | undefined;
  #call: UpstreamCall | undefined;
  #status = 0;
  #plain: Buffer[] | undefined;
  #plainBytes = 0;
  #deltas = 0;
  #tokens: TokenCount | undefined;
  #complete = false;
  #ended = false;
  #over = false;
  /** Ends the chat when it has taken longer than any request may. */
  readonly #deadline: NodeJS.Timeout | undefined;

  constructor(service: Service, outlet: ChatOutlet, id: AgentMessageId, tenant: string, requestId: string) {
    this.#service = service;
    this.#outlet = outlet;
    this.#id = id;
    this.#idJson = JSON.stringify(id);
    this.#tenant = tenant;
    this.#requestId = requestId;
    this.#account = service.ledger.open("agents");
    this.#deadline = startDeadline(service.limits.requestMs, this);
  }

  /** @param body The chat request as the agent sent it. */
  begin(body: Record<string, unknown>): void {
    this.#account.ready();
    this.#send(body).catch((error: unknown) => this.#crash(error));
  }

  async #send(body: Record<string, unknown>): Promise<void> {
    const read = checkModelRequest("chat", { ...body, stream: true }, this.#requestId);
    if (!read.ok) {
      this.fail(read.failure);
      return;
    }
    const { request } = read;
    this.#request = request;
    const choice = await this.#service.catalog.find(request.model);
    if (this.#over) return;
    if (choice.kind === "failure") {
      this.fail(choice.failure);
      return;
    }
    this.#upstream = choice.upstream;
    this.#call = choice.upstream.call("chat", request, this);
    this.#call.begin();
  }

  /**
   * The agent cancelled it or is gone, or the bridge has no more time: the upstream is released at once and nothing more is sent.
   * @param by Who ends it. Default client
   */
  abort(by: "client" | "bridge" = "client"): void {
    this.#close(by, by === "client" ? 499 : 503);
  }

  /** The chat has taken all the time that any request may; called by its timer only. */
  expire(): void {
    const by = this.#outlet.full ? "client" : this.#account.awaited;
    this.fail(requestTimeout(by, this.#service.limits.requestMs));
  }

  /** There is room for messages again. */
  resume(): void {
    if (this.#over) return;
    if (!this.#pump()) return;
    if (this.#ended) this.#conclude();
    else this.#call?.resume();
  }

  sent(): void {
    this.#account.sent();
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    if (status === 401 || status === 403) {
      this.fail(credentialsRefused(this.#upstream?.name ?? "", status));
      return;
    }
    if (status >= 400 || headers["content-type"]?.startsWith("text/event-stream") !== true) this.#plain = [];
  }

  data(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#plain !== undefined) {
      this.#plainBytes += chunk.length;
      if (this.#plainBytes <= ERROR_BYTES) this.#plain.push(chunk);
      return true;
    }
    try {
      this.#events.push(chunk);
      return this.#pump();
    } catch (error) {
      this.#crash(error);
      return true;
    }
  }

  end(tokens?: TokenCount): void {
    this.#account.upstreamEnd();
    if (tokens !== undefined) this.#tokens = tokens;
    this.#ended = true;
    try {
      this.#events.flush();
      if (this.#pump()) this.#conclude();
    } catch (error) {
      this.#crash(error);
    }
  }

  fail(failure: Failure): void {
    if (this.#over) return;
    if (failure.domain !== "client") this.#warn(failure);
    this.#close(failure.domain, failure.status, this.#errorMessage(failure.status, errorObject(failure)));
  }

  #warn(failure: Failure): void {
    warnOf(this.#service.log, failure, { requestId: this.#requestId, upstream: this.#upstream?.name });
  }

  /** Sends the events that are there while there is room; false when it ran out. */
  #pump(): boolean {
    while (!this.#over) {
      if (this.#outlet.full) return false;
      const event = this.#events.next();
      if (event === undefined) return true;
      if (event === "[DONE]") {
        this.#complete = true;
        continue;
      }
      if (!isJson(event)) continue;
      if (textDeclaresError(event)) {
        this.#failWithin(event);
        return true;
      }
      const usage = findUsage(event);
      if (usage !== undefined) this.#tokens = usage;
      this.#account.firstByte();
      this.#deltas++;
      this.#outlet.send(`"id":${this.#idJson},"type":"delta","data":${event}`);
    }
    return true;
  }

  #conclude(): void {
    if (this.#over) return;
    if (this.#plain !== undefined) {
      this.#concludePlain(Buffer.concat(this.#plain).toString());
      return;
    }
    if (!this.#complete) {
      this.fail(incompleteStream(this.#upstream?.name ?? ""));
      return;
    }
    this.#account.replied();
    this.#close(undefined, 200, `"id":${this.#idJson},"type":"done"`);
  }

  /** An answer that is not a stream: an error, or one in one piece from an upstream that does not stream. */
  #concludePlain(text: string): void {
    const domain = domainOfStatus(this.#status);
    const whole = isJson(text) && text !== "" ? text : undefined;
    if (domain === undefined && whole !== undefined) {
      if (textDeclaresError(whole)) {
        this.#failWithin(whole);
        return;
      }
      this.#account.firstByte();
      this.#outlet.send(`"id":${this.#idJson},"type":"delta","data":${whole}`);
      this.#close(undefined, 200, `"id":${this.#idJson},"type":"done"`);
      return;
    }
    const error = whole === undefined ? undefined : errorOf(whole);
    this.#close(domain ?? "upstream", this.#status, this.#errorMessage(this.#status, error));
  }

  /** The upstream reports an error in an answer that began well; the agent is told what it says. */
  #failWithin(json: string): void {
    const failure = errorWithin(this.#upstream?.name ?? "");
    this.#warn(failure);
    this.#close(
      failure.domain,
      failure.status,
      this.#errorMessage(failure.status, errorOf(json) ?? errorObject(failure)),
    );
  }

  #errorMessage(status: number, error: unknown): string {
    const described = error ?? {
      message: `The upstream answered with status ${status}.`,
      type: "upstream_error",
    };
    return `"id":${this.#idJson},"type":"error","status":${status},"error":${JSON.stringify(described)}`;
  }

  #crash(error: unknown): void {
    this.#service.log.error({ err: error, requestId: this.#requestId }, "chat failed in the bridge");
    this.fail(bridgeFailure(this.#requestId));
  }

  /** @param last The chat's last message; undefined where nobody is there to read it. */
  #close(domain: FaultDomain | undefined, status: number, last?: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    if (last !== undefined) this.#outlet.send(last);
    this.#call?.abort();
    this.#account.close(domain);
    if (this.#request !== undefined && this.#upstream !== undefined) {
      this.#service.meter?.record({
        tenant: this.#tenant,
        route: "agents",
        upstream: this.#upstream.name,
        request: this.#request,
        status,
        durationMs: this.#account.durationMs,
        cache: "off",
        tokens: this.#tokens,
        text: "",
        chunks: this.#deltas,
      });
    }
    this.#outlet.finished(this.#id);
  }
}

/** What an upstream says is wrong; undefined where it says nothing that can be passed on. */
function errorOf(json: string): unknown {
  const error = (JSON.parse(json) as { error?: unknown } | null)?.error;
  return isNestedDeeper(error, MAX_NESTING) ? undefined : error;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
