import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultDomain } from "../../contract/metrics.ts";
import { bridgeFailure, errorBody, type Failure } from "./failure.ts";
import { writeHead } from "./head.ts";
import type { Service } from "./service.ts";

const NONE_REACHABLE: Failure = {
  status: 502,
  domain: "upstream",
  code: "upstream_unreachable",
  message: "No upstream told its models; look at whether the upstreams are up.",
};

/** GET /v1/models: the models of all upstreams that answer, each once. */
export function answerModels(
  service: Service,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const account = service.ledger.open("models");
  let domain: FaultDomain | undefined;
  account.ready();
  account.sent();
  request.resume();
  response.on("close", () => account.close(response.writableFinished ? domain : (domain ?? "client")));

  const reply = (status: number, body: Buffer): void => {
    if (account.closed) return;
    const headers = ["content-type", "application/json", "content-length", String(body.length)];
    const own = { revision: service.revision, cache: account.cache, requestId };
    writeHead(response, status, headers, own, service.connections);
    account.firstByte();
    account.replied();
    response.end(body);
  };
  const fail = (failure: Failure): void => {
    domain = failure.domain;
    reply(failure.status, errorBody(failure));
  };

  service.catalog.models().then(
    (models) => {
      account.upstreamEnd();
      if (models === undefined) fail(NONE_REACHABLE);
      else reply(200, Buffer.from(JSON.stringify({ object: "list", data: models })));
    },
    (error: unknown) => {
      service.log.error({ err: error, requestId }, "request failed in the bridge");
      fail(bridgeFailure(requestId));
    },
  );
}
