/** What is known of a Node or V8 flag that people put into NODE_OPTIONS. */
export type NodeFlag =
  | {
      readonly flag: string;
      /** The field of spec.tuning.nodeOptions that renders this flag. */
      readonly field: string;
      /** First minor release of each major that takes the flag; absent: every supported release. */
      readonly sinceNode?: readonly string[];
    }
  | { readonly flag: string; readonly refused: RefusedReason };

/** Why a flag is refused; follows the flag in the message. */
export const REFUSED_REASONS = {
  exits: "Node refuses it in NODE_OPTIONS and the process exits with 9; leave it out.",
  loadsCode: "it loads code into the pod or changes which code is loaded; build it into the image.",
  inspector: "it opens the inspector, which runs any code sent to it; leave it out.",
  exposesSecrets: "it writes keys of TLS connections to a file; leave it out.",
  weakensTls: "it weakens TLS or HTTP parsing; leave it out.",
  writesFiles:
    "it writes files or signals for a person at the machine, and pods have a read-only root; leave it out.",
  hangs: "the process would wait or restart by itself instead of serving; leave it out.",
  notCalled: "nothing in the bridge calls gc(), and calling it costs latency; leave it out.",
  percentage:
    "the share is taken by every worker thread again; write spec.tuning.nodeOptions.maxOldSpaceMiB or leave it to the operator.",
  newerNode: "Node 24 and newer exit with 9 on it; leave it out.",
  slows: "it makes the pods slower and is meant for debugging; leave it out.",
} as const;
export type RefusedReason = keyof typeof REFUSED_REASONS;

/** Said of a flag that is not in the table. */
export const UNKNOWN_FLAG = "there is no typed field for it under spec.tuning.nodeOptions; leave it out.";

const typed: readonly NodeFlag[] = [
  { flag: "--dns-result-order", field: "dnsResultOrder" },
  { flag: "--max-heap-size", field: "maxHeapMiB", sinceNode: ["24.15", "25.9", "26.0"] },
  { flag: "--max-http-header-size", field: "maxHttpHeaderBytes" },
  { flag: "--max-old-space-size", field: "maxOldSpaceMiB" },
  { flag: "--max-semi-space-size", field: "maxSemiSpaceMiB" },
  { flag: "--stack-trace-limit", field: "stackTraceLimit" },
];

/** Measured on 22.23, 24.21, 25.9 and 26.10: which flags Node takes in NODE_OPTIONS, on the command line only, or not at all. */
const refused: Readonly<Record<RefusedReason, readonly string[]>> = {
  exits: [
    ...["--gc-interval", "--gc-global", "--stress-compaction", "--optimize-for-size", "--lite-mode"],
    ...["--single-threaded-gc", "--single-threaded", "--parallel-scavenge", "--no-parallel-scavenge"],
    ...["--concurrent-marking", "--no-concurrent-marking", "--memory-reducer", "--no-memory-reducer"],
    ...["--stack-size", "--min-semi-space-size", "--semi-space-growth-factor", "--initial-old-space-size"],
    ...["--initial-heap-size", "--min-heap-size", "--scavenger-max-new-space-capacity-mb", "--minor-ms"],
    ...["--trace-gc", "--trace-gc-verbose", "--prof", "--v8-options", "--max-lazy", "--no-opt", "--maglev"],
    ...["--no-maglev", "--sparkplug", "--no-sparkplug", "--wasm-max-mem-pages", "--always-sparkplug"],
    ...["-e", "--eval", "-p", "--print", "--test", "-c", "--check", "--run", "--expose-internals"],
    ...["--experimental-config-file", "--env-file", "--env-file-if-exists", "--"],
  ],
  loadsCode: [
    ...["-r", "--require", "--import", "--loader", "--experimental-loader", "--openssl-config"],
    ...[
      "--openssl-shared-config",
      "--snapshot-blob",
      "--build-snapshot",
      "-C",
      "--conditions",
      "--icu-data-dir",
    ],
    ...["--preserve-symlinks", "--preserve-symlinks-main", "--input-type", "--experimental-default-type"],
  ],
  inspector: [
    ...["--inspect", "--inspect-brk", "--inspect-wait", "--inspect-port", "--inspect-publish-uid"],
    ...["--debug-port", "--experimental-network-inspection"],
  ],
  exposesSecrets: ["--tls-keylog"],
  weakensTls: [
    ...["--tls-min-v1.0", "--tls-min-v1.1", "--tls-max-v1.2", "--tls-cipher-list", "--insecure-http-parser"],
    ...["--use-openssl-ca", "--openssl-legacy-provider"],
  ],
  writesFiles: [
    ...["--heapsnapshot-near-heap-limit", "--heapsnapshot-signal", "--heap-prof", "--heap-prof-dir"],
    ...["--heap-prof-interval", "--heap-prof-name", "--cpu-prof", "--cpu-prof-dir", "--cpu-prof-interval"],
    ...["--cpu-prof-name", "--report-on-fatalerror", "--report-on-signal", "--report-signal", "--report-dir"],
    ...["--report-directory", "--report-filename", "--report-compact", "--report-uncaught-exception"],
    ...[
      "--diagnostic-dir",
      "--redirect-warnings",
      "--perf-basic-prof",
      "--perf-prof",
      "--trace-event-categories",
    ],
    ...["--trace-event-file-pattern", "--abort-on-uncaught-exception"],
  ],
  hangs: ["--watch", "--watch-path", "--watch-preserve-output"],
  notCalled: ["--expose-gc"],
  percentage: ["--max-old-space-size-percentage"],
  newerNode: ["--huge-max-old-generation-size"],
  slows: [
    "--jitless",
    "--track-heap-objects",
    "--node-memory-debug",
    "--zero-fill-buffers",
    "--interpreted-frames-native-stack",
  ],
};

/** Every flag that messages, `lint` and the renderer of NODE_OPTIONS know, typed ones first. */
export const NODE_FLAGS: readonly NodeFlag[] = [
  ...typed,
  ...Object.entries(refused).flatMap(([reason, flags]) =>
    flags.map((flag) => ({ flag, refused: reason as RefusedReason })),
  ),
];

/** A flag as the table spells it: Node takes `_` for `-`, and a value after `=`. */
export function flagName(token: string): string {
  return (token.split("=")[0] ?? "").replaceAll("_", "-");
}

/** Finds a flag by its token, such as `--max_old_space_size=450`. */
export function nodeFlag(token: string): NodeFlag | undefined {
  const name = flagName(token);
  return NODE_FLAGS.find(({ flag }) => flag === name);
}

/** Whether a Node version takes a flag in every release that the version may stand for: "24" means any minor of 24. */
export function takesFlag(nodeVersion: string, sinceNode: readonly string[] | undefined): boolean {
  if (sinceNode === undefined) return true;
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  return sinceNode.some((since) => {
    const [sinceMajor = 0, sinceMinor = 0] = since.split(".").map(Number);
    return major === sinceMajor && minor >= sinceMinor;
  });
}
