import { Agent } from "../kube/undici.ts";
import { guardedLookup } from "./guard.ts";
import { checkTls, readTls, type TlsFiles } from "./tls-files.ts";

export interface OutboundOptions {
  /** From `outboundUrl`. */
  readonly url: URL;
  readonly tls?: TlsFiles | undefined;
  readonly connections: number;
  /** For connecting, for the head of an answer, and between two parts of its body. */
  readonly timeoutMs: number;
  /** Longest answer that is read. */
  readonly maxBytes: number;
}

/** Connections to one host, to allowed addresses only. */
export interface OutboundConnections {
  /**
   * Connections with the TLS files as they are now: where one has changed, new connections are opened and the old ones end with what runs on them.
   * @throws CredentialError where the files cannot be used
   */
  current(): Promise<Agent>;
  /** Ends every connection at once. */
  destroy(): Promise<void>;
}

export function openConnections(options: OutboundOptions): OutboundConnections {
  const { url, tls, connections, timeoutMs, maxBytes } = options;
  let open: { readonly agent: Agent; readonly fingerprint: string } | undefined;
  const retired = new Set<Agent>();

  const retire = (agent: Agent): void => {
    retired.add(agent);
    void agent
      .close()
      .catch(() => undefined)
      .finally(() => retired.delete(agent));
  };

  return {
    async current() {
      const material = await readTls(tls);
      if (open?.fingerprint === material.fingerprint) return open.agent;
      checkTls(material);
      if (open !== undefined) retire(open.agent);
      const agent = new Agent({
        connections,
        connect: { ...material.options, lookup: guardedLookup(url.hostname), timeout: timeoutMs },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        maxResponseSize: maxBytes,
        allowH2: false,
      });
      open = { agent, fingerprint: material.fingerprint };
      return agent;
    },
    async destroy() {
      const agents = [...retired, ...(open === undefined ? [] : [open.agent])];
      await Promise.all(agents.map((agent) => agent.destroy()));
    },
  };
}
