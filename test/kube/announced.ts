import type { ApiRequest, Transport } from "../../operator/kube/transport.ts";

/** A transport that tells of each request before it passes it on; an error that is thrown then is what the request ends with. */
export function announced(transport: Transport, ask: (request: ApiRequest) => void): Transport {
  return {
    ...transport,
    async open(request) {
      ask(request);
      return transport.open(request);
    },
    async send(request) {
      ask(request);
      return transport.send(request);
    },
  };
}
