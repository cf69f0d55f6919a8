import { TransportError } from "../../operator/kube/errors.ts";
import type { Transport } from "../../operator/kube/transport.ts";

export interface CuttableTransport extends Transport {
  /** Breaks every open stream and lets nothing through until `restore`. */
  cut(): void;
  restore(): void;
}

/** A transport whose line can be cut, while others still reach the server. */
export function cuttable(transport: Transport): CuttableTransport {
  let line = new AbortController();
  const refuse = (): void => {
    if (line.signal.aborted) throw new TransportError("request", "the line is cut");
  };
  return {
    cut: () => line.abort(new TransportError("stream", "the line was cut")),
    restore() {
      line = new AbortController();
    },
    async send(request) {
      refuse();
      return transport.send(request);
    },
    async open(request) {
      refuse();
      const { signal } = line;
      return transport.open({
        ...request,
        signal: request.signal ? AbortSignal.any([request.signal, signal]) : signal,
      });
    },
    close: () => transport.close(),
  };
}
