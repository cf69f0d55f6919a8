import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "../../operator/kube/object.ts";
import { isOperators } from "../scene/audit.ts";
import { createIdentity } from "./identity.ts";
import { passOn, pick, readAll, readUpstream } from "./proxy-upstream.ts";
import { asksForState, asOf, isWrite, type KubeRequest, kubeRequest } from "./request.ts";
import { invalid, type Strike, statusBody } from "./strike.ts";
import { recordList, relayWatch, type WatchGate, type WatchRelay } from "./watch-relay.ts";

/** A request that reached the proxy, and what its client was told. */
export interface ProxiedRequest extends KubeRequest {
  readonly atMs: number;
  /** What the client was answered; undefined while there is no answer, and for ever where none came. */
  code: number | undefined;
  /** What the server answered, whatever the client was told; undefined where it never got it. */
  serverCode: number | undefined;
  /** Whether the server has carried it out. */
  carriedOut: boolean;
  /** A write that was bound to a version of its object and has left it as it was. */
  isIdle: boolean;
  /** Of a write that was carried out: the version of the object that it has left. */
  resourceVersion: string | undefined;
}

/** A write of the operator to children and status: not to its lease, and no Event. */
export const isOwnWrite = (request: ProxiedRequest): boolean =>
  isWrite(request) && isOperators(request.userAgent) && !["leases", "events"].includes(request.resource);

export interface Rule {
  /** How often it has struck. */
  readonly struck: number;
  remove(): void;
}

export interface Ice {
  /** How many events wait in the watches that it holds. */
  readonly waiting: number;
  /** Whether the event that brings an object to this version waits in one of them. */
  holds(resourceVersion: string): boolean;
  /**
   * Lets go what has waited: all of it; of several changes of one object only the last; or, of watches that were open when they froze, nothing, as a
   * watch that has lost events and does not know it.
   */
  thaw(how?: "All" | "Coalesced" | "Nothing"): void;
}

export interface RuleOptions {
  /** Strikes so often and no more. Default: until it is removed. */
  readonly times?: number;
  /** Told of each request that is struck: before it is passed on, or, of a strike that comes after, when the server has answered. */
  readonly onStruck?: (request: ProxiedRequest) => void;
}

/**
 * A real API server behind a line that fails when a test says so. Nothing of the product knows of it: it stands where a load balancer
 * would, and the kubeconfig it writes leads through it.
 */
export interface FaultProxy {
  /** Leads through the proxy with the rights of the kubeconfig that the proxy was given. */
  readonly kubeconfigPath: string;
  /** Writes a kubeconfig that leads here too and names files: of the authority, and of the token that is shown; its path. */
  kubeconfigOfFiles(tokenFile: string): string;
  readonly requests: readonly ProxiedRequest[];
  /** Strikes every request of which `matches` is true; of several rules the oldest that still holds. */
  when(matches: (request: ProxiedRequest) => boolean, strike: Strike, options?: RuleOptions): Rule;
  /**
   * From now on watches of these requests get nothing more, though their connections live, until `thaw`.
   */
  freeze(matches: (request: KubeRequest) => boolean): Ice;
  /** Tells open watches of these requests that their history is gone, which ends them. */
  expire(matches: (request: KubeRequest) => boolean): void;
  /** Told of each request when it has reached the proxy, before a rule strikes it. */
  onRequest(handler: (request: ProxiedRequest) => void): void;
  /** Told of each event of a watch when the server has sent it, before it is passed on or kept. */
  onEvent(handler: (request: KubeRequest, line: string) => void): void;
  /** Resets every connection that is open, watches too. */
  cutAll(): void;
  /** Shows new connections a certificate of another authority from now on, and then writes the authority's file anew. */
  rotate(): Promise<void>;
  /** From now on answers 401 to whoever shows another token; the server hears nothing of it. */
  requireToken(token: string): void;
  /** No connection is accepted until `restore`; those that are open end. */
  cutOff(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

interface OpenWatch {
  readonly request: KubeRequest;
  readonly gate: WatchGate;
  readonly relay: WatchRelay;
  readonly expire: () => void;
}

interface LiveRule {
  readonly matches: (request: ProxiedRequest) => boolean;
  readonly strike: Strike;
  readonly onStruck: ((request: ProxiedRequest) => void) | undefined;
  left: number;
  struck: number;
}

/** Starts a proxy in front of the server that the kubeconfig names. */
export async function startFaultProxy(kubeconfigPath: string): Promise<FaultProxy> {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-faults-"));
  const upstream = await readUpstream(kubeconfigPath);
  const identity = await createIdentity(folder);

  const requests: ProxiedRequest[] = [];
  let rules: LiveRule[] = [];
  const frozen = new Set<(request: KubeRequest) => boolean>();
  const watches = new Set<OpenWatch>();
  const sockets = new Set<Socket>();
  const answered = new Map<string, Answered>();
  const requestHandlers: ((request: ProxiedRequest) => void)[] = [];
  const eventHandlers: ((request: KubeRequest, line: string) => void)[] = [];
  let authorization: string | undefined;
  const remember = (request: KubeRequest, answer: Answered): void => {
    if (!answered.has(sameList(request))) answered.set(sameList(request), answer);
  };

  const gateOf = (request: KubeRequest): WatchGate => ({
    frozen: [...frozen].some((matches) => matches(request)),
  });

  const ruleFor = (request: ProxiedRequest): LiveRule | undefined => {
    const rule = rules.find(({ matches, left }) => left > 0 && matches(request));
    if (rule === undefined) return undefined;
    rule.left--;
    rule.struck++;
    return rule;
  };

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request: ProxiedRequest = {
      ...kubeRequest(message),
      atMs: Date.now(),
      code: undefined,
      serverCode: undefined,
      carriedOut: false,
      isIdle: false,
      resourceVersion: undefined,
    };
    requests.push(request);
    const body = await readAll(message);
    for (const handler of requestHandlers) handler(request);
    if (authorization !== undefined && message.headers.authorization !== authorization)
      return tell(request, response, failure({ kind: "Answer", code: 401, reason: "Unauthorized" }));
    const rule = ruleFor(request);
    const strike = rule?.strike;
    const comesAfter = strike !== undefined && "after" in strike && strike.after === true;
    if (!comesAfter) rule?.onStruck?.(request);
    if (strike?.kind === "Hang") return;
    if (strike?.kind === "Reset" && !strike.after) return void message.socket.destroy();
    if (strike?.kind === "Answer" && !strike.after) return tell(request, response, failure(strike));
    if (strike?.kind === "Body" && !strike.after && request.verb !== "watch")
      return tell(request, response, saying(strike.text));
    if (strike?.kind === "Hold" && !strike.after) await strike.until;
    if (strike?.kind === "Delay") await new Promise((resolve) => setTimeout(resolve, strike.ms));
    const before =
      strike?.kind === "Replay" && asksForState(request) ? answered.get(sameList(request)) : undefined;
    if (before) return tell(request, response, before);
    const isShownOld = strike?.kind === "AsOf" && asksForState(request);
    // A list that is streamed is always the newest.
    if (isShownOld && request.verb === "watch") return tell(request, response, failure(invalid()));

    const path = isShownOld ? asOf(request, strike.resourceVersion) : message.url;
    const answer = await passOn(upstream, message, body, path);
    request.serverCode = answer.statusCode;
    request.carriedOut = (answer.statusCode ?? 500) < 400;
    if (request.verb === "watch" && answer.statusCode === 200) {
      request.code = 200;
      return watch(request, answer, response, strike);
    }
    const told: Answered = {
      code: answer.statusCode ?? 502,
      headers: pick(answer.headers, "content-type", "retry-after", "warning"),
      body: await readAll(answer),
    };
    if (isWrite(request) && request.carriedOut) {
      request.resourceVersion = versionIn(told.body);
      request.isIdle = request.resourceVersion !== undefined && versionIn(body) === request.resourceVersion;
    }
    if (comesAfter) rule?.onStruck?.(request);
    if (request.verb === "list" && told.code === 200) remember(request, told);
    if (strike?.kind === "Reset") return void message.socket.destroy();
    if (strike?.kind === "Hold") await strike.until;
    if (strike?.kind === "Answer") return tell(request, response, failure(strike));
    tell(request, response, strike?.kind === "Body" ? saying(strike.text) : told);
  }

  function watch(
    request: ProxiedRequest,
    answer: IncomingMessage,
    response: ServerResponse,
    strike: Strike | undefined,
  ): void {
    const headers = pick(answer.headers, "content-type");
    response.writeHead(200, headers);
    response.flushHeaders();
    const gate = gateOf(request);
    const record = recordList((lines) =>
      remember(request, { code: 200, headers, body: Buffer.from(`${lines.join("\n")}\n`) }),
    );
    const relay = relayWatch(answer, response, gate, (line) => {
      if (asksForState(request)) record(line);
      for (const handler of eventHandlers) handler(request, line);
    });
    const endWith = (code: number, reason: string): void => {
      const object = JSON.parse(statusBody(code, reason, "the history is gone")) as object;
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
    };
    if (strike?.kind === "EndWatch")
      relay.stopAfter(strike.afterEvents ?? 0, () => endWith(strike.code, strike.reason));
    if (strike?.kind === "Body")
      relay.stopAfter(strike.afterEvents ?? 0, () => response.end(`${strike.text}\n`));
    // An empty line has left when all before it has.
    if (strike?.kind === "CutWatch")
      relay.stopAfter(strike.afterEvents, () => response.write("\n", () => response.destroy()));
    const expire = () => relay.stopAfter(0, () => endWith(410, "Expired"));
    const open: OpenWatch = { request, gate, relay, expire };
    watches.add(open);
    response.on("close", () => watches.delete(open));
  }

  const server = createServer(identity.server, (message, response) => {
    handle(message, response).catch(() => message.socket.destroy());
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Who resets a connection is told so by the other side.
    socket.on("error", () => undefined);
  });
  const cutAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const port = await listen(server, 0);
  const url = `https://127.0.0.1:${port}`;

  return {
    kubeconfigPath: identity.writeKubeconfig(url),
    kubeconfigOfFiles: (tokenFile) => identity.writeKubeconfigOfFiles(url, tokenFile),
    requests,
    when(matches, strike, { times = Number.POSITIVE_INFINITY, onStruck } = {}) {
      const rule: LiveRule = { matches, strike, onStruck, left: times, struck: 0 };
      rules.push(rule);
      return {
        get struck() {
          return rule.struck;
        },
        remove() {
          rules = rules.filter((other) => other !== rule);
        },
      };
    },
    freeze(matches) {
      frozen.add(matches);
      const before = new Set([...watches].filter(({ request }) => matches(request)));
      for (const { gate } of before) gate.frozen = true;
      const held = () => [...watches].filter(({ request }) => matches(request));
      return {
        get waiting() {
          return held().reduce((sum, { relay }) => sum + relay.waiting, 0);
        },
        holds: (resourceVersion) => held().some(({ relay }) => relay.holds(resourceVersion)),
        thaw(how = "All") {
          frozen.delete(matches);
          for (const open of held()) {
            open.gate.frozen = gateOf(open.request).frozen;
            // What a watch begins with is no news that could be lost.
            open.relay.thaw(how === "Nothing" && !before.has(open) ? "All" : how);
          }
        },
      };
    },
    expire(matches) {
      for (const open of [...watches]) if (matches(open.request)) open.expire();
    },
    onRequest: (handler) => void requestHandlers.push(handler),
    onEvent: (handler) => void eventHandlers.push(handler),
    cutAll,
    async rotate() {
      const next = await identity.next();
      server.setSecureContext(next.server);
      next.writeAuthority();
    },
    requireToken(token) {
      authorization = `Bearer ${token}`;
    },
    cutOff() {
      server.close();
      cutAll();
    },
    async restore() {
      await listen(server, port);
    },
    async close() {
      server.close();
      cutAll();
      upstream.agent.destroy();
      rmSync(folder, { recursive: true });
    },
  };
}

interface Answered {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function tell(request: ProxiedRequest, response: ServerResponse, { code, headers, body }: Answered): void {
  request.code = code;
  response.writeHead(code, { ...headers, "content-length": body.length });
  response.end(body);
}

function failure(strike: Extract<Strike, { kind: "Answer" }>): Answered {
  const { code, reason = "", message = "", retryAfter } = strike;
  return {
    code,
    headers: {
      "content-type": "application/json",
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    },
    body: Buffer.from(statusBody(code, reason, message, retryAfter)),
  };
}

const saying = (text: string): Answered => ({
  code: 200,
  headers: { "content-type": "application/json" },
  body: Buffer.from(text),
});

/** The version of the object that a write or its answer names. */
function versionIn(body: Buffer): string | undefined {
  const object = body.length === 0 ? {} : (JSON.parse(body.toString()) as Partial<KubeObject>);
  return object.metadata?.resourceVersion;
}

/** Lists of the same collection, whatever version and page they ask for; those that are streamed by themselves. */
const sameList = ({ verb, path, query }: KubeRequest): string =>
  JSON.stringify([verb, path, query.get("labelSelector"), query.get("fieldSelector")]);

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
