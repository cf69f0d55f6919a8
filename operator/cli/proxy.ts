import { BlockList, isIP } from "node:net";
import type { KubeConfig } from "../kube/kubeconfig.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Has the API server reached through the proxy that the environment names, where the kubeconfig names none. kubectl does the same; the operator does not, since
 * its environment is not a person's.
 */
export function useProxyOf(environment: Environment, kubeConfig: KubeConfig): void {
  const current = kubeConfig.getCurrentCluster();
  if (!current || current.proxyUrl) return;
  const proxyUrl = proxyFor(new URL(current.server), environment);
  if (proxyUrl === undefined) return;
  kubeConfig.clusters = kubeConfig.clusters.map((one) => (one === current ? { ...one, proxyUrl } : one));
}

/** The proxy for an address by HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as Go reads them (golang.org/x/net/http/httpproxy). */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const of = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  const proxy = of(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined) return undefined;
  const host = withoutBrackets(url.hostname).replace(/\.$/, "");
  if (host === "localhost" || isLoopback(host)) return undefined;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const direct = (of("NO_PROXY") ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  if (direct.some((entry) => entry !== "" && matches(entry, host, port))) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

const isLoopback = (host: string): boolean => contains("127.0.0.0/8", host) || host === "::1";

/** One entry of NO_PROXY: `*`, an address or a range of them, or a domain; `.domain` and `*.domain` mean only what is below it. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return contains(entry, host);
  const [, name = "", only] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry];
  if (only !== undefined && only !== port) return false;
  const wanted = withoutBrackets(name).replace(/^\*(?=\.)/, "");
  if (isIP(wanted) > 0) return contains(`${wanted}/${isIP(wanted) === 4 ? 32 : 128}`, host);
  return wanted.startsWith(".") ? host.endsWith(wanted) : host === wanted || host.endsWith(`.${wanted}`);
}

function contains(range: string, host: string): boolean {
  const [net = "", bits] = range.split("/");
  const [family, own] = [isIP(net), isIP(host)];
  if (family === 0 || own !== family) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  try {
    list.addSubnet(net, Number(bits), type);
  } catch {
    // No range; Go passes over it too.
    return false;
  }
  return list.check(host, type);
}
