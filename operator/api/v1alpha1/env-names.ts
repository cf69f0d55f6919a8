/** Environment variables that `spec.pod.env` may not set, and what to do instead. A name ending in `*` stands for all with that beginning. */
export interface RefusedEnvName {
  readonly name: string;
  readonly reason: EnvReason;
}

export const ENV_REASONS = {
  threadpool: "the operator sets it; write spec.tuning.nodeOptions.threadpoolSize.",
  owned: "the operator sets it; leave it out.",
  loadsCode: "it changes which code the process loads; build it into the image.",
  trust:
    "it changes which certificates are trusted, or switches the check off; build trusted certificates into the image.",
  exposesSecrets: "it writes keys of TLS connections to a file; leave it out.",
  writesFiles: "it makes Node write files, and pods have a read-only root; leave it out.",
  proxy: "the bridge goes to its upstreams directly; put the proxy's address in the upstream's url.",
} as const;
export type EnvReason = keyof typeof ENV_REASONS;

const names: Readonly<Record<EnvReason, readonly string[]>> = {
  threadpool: ["UV_THREADPOOL_SIZE"],
  owned: ["LLMBRIDGE_*", "POD_NAME", "POD_NAMESPACE"],
  loadsCode: [
    "NODE_PATH",
    "NODE_ICU_DATA",
    "NODE_COMPILE_CACHE",
    "NODE_REPL_*",
    "LD_*",
    "DYLD_*",
    "OPENSSL_*",
    "GCONV_PATH",
  ],
  trust: [
    "NODE_EXTRA_CA_CERTS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_USE_SYSTEM_CA",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
  ],
  exposesSecrets: ["SSLKEYLOGFILE"],
  writesFiles: ["NODE_V8_COVERAGE", "NODE_REDIRECT_WARNINGS"],
  proxy: [
    "NODE_USE_ENV_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
  ],
};

export const REFUSED_ENV_NAMES: readonly RefusedEnvName[] = Object.entries(names).flatMap(([reason, list]) =>
  list.map((name) => ({ name, reason: reason as EnvReason })),
);

/** Why a variable is refused, or undefined when it may be set. NODE_OPTIONS has a rule of its own. */
export function refusedEnvReason(name: string): string | undefined {
  const found = REFUSED_ENV_NAMES.find(({ name: refused }) =>
    refused.endsWith("*") ? name.startsWith(refused.slice(0, -1)) : name === refused,
  );
  return found && ENV_REASONS[found.reason];
}
