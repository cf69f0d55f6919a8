import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { pino } from "pino";
import type { Bridge } from "./bridge.ts";
import { readSettings } from "./settings.ts";

/** The package's version: the file lies one directory above this one, in the sources and in the image. */
function packageVersion(): string {
  try {
    const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
    return String((JSON.parse(text) as { version?: unknown }).version);
  } catch {
    return "unknown";
  }
}

const settings = readSettings(process.env);
const log = pino({
  level: settings.logLevel,
  base: { pod: settings.podName },
  // Request headers never reach a log line of ours; this is for errors of libraries that carry a request.
  redact: ["headers.authorization", "*.headers.authorization", "err.config.headers"],
});

process.on("uncaughtException", (error) => {
  // The state after an unknown error is unknown: end, and let the kubelet start a fresh process.
  log.fatal({ err: error }, "uncaught exception");
  process.exit(70);
});

let bridge: Bridge | undefined;
let asked = false;
const onSignal = (signal: NodeJS.Signals): void => {
  if (asked) {
    log.warn({ signal }, "second signal: exit without waiting");
    process.exit(1);
  }
  asked = true;
  if (bridge === undefined) {
    log.info({ signal }, "asked to stop before it was ready");
    process.exit(0);
  }
  bridge.stop().then(
    () => {
      log.info("drained");
      process.exit(0);
    },
    (error: unknown) => {
      log.fatal({ err: error }, "drain failed");
      process.exit(1);
    },
  );
};
process.on("SIGTERM", onSignal);
process.on("SIGINT", onSignal);

// Ids of requests need to be different, not secret: a counter behind a random start costs less than a UUID per request.
const idPrefix = randomBytes(6).toString("base64url");
let lastId = 0;

try {
  // Loaded only now, which takes longest: the kernel drops a signal that the first process of a container has no handler for.
  const { startBridge } = await import("./bridge.ts");
  bridge = await startBridge({
    settings,
    version: packageVersion(),
    log,
    env: process.env,
    now: Date.now,
    random: Math.random,
    newId: () => `${idPrefix}-${(lastId++).toString(36)}`,
    newEpoch: randomUUID,
  });
} catch (error) {
  log.fatal(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
