import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Log } from "../kube/log.ts";
import { type AdministratorSettings, parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

/** The settings file as of now. */
export interface SettingsFile {
  /** The last valid content. */
  current(): AdministratorSettings;
  /** Calls the handler after each valid change of content. */
  onChange(handler: (settings: AdministratorSettings) => void): void;
}

/** For file systems that tell nothing about changes; a local read costs next to nothing. */
const REREAD_MS = 10_000;

/**
 * Reads the settings file and follows it until the signal aborts.
 *
 * A mounted ConfigMap changes when kubelet points the folder's `..data` link elsewhere, so the folder is watched and not the file. A
 * new content that is not valid, or a file that is gone, changes nothing: the last valid settings stay, a log line says why, and
 * the metric `settings_valid` falls to 0.
 * @throws SettingsError when the first content is missing or not valid: a wrong start is noticed by whoever starts it
 */
export async function watchSettingsFile(options: {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly registry: Registry;
  /** First part of the metrics' names. */
  readonly prefix: string;
}): Promise<SettingsFile> {
  const { path, signal, log, registry, prefix } = options;
  let text = await read(path);
  let settings = parse(path, text);
  const valid = new Gauge({
    name: `${prefix}settings_valid`,
    help: "1 while the settings file is what the operator runs with, 0 while it runs with an older one",
    registers: [registry],
  });
  const reloads = new Counter({
    name: `${prefix}settings_reloads_total`,
    help: "Changes of the settings file by result",
    labelNames: ["result"],
    registers: [registry],
  });
  for (const result of ["accepted", "refused"]) reloads.inc({ result }, 0);

  let refused: string | undefined;
  const handlers: ((settings: AdministratorSettings) => void)[] = [];
  valid.set(1);

  const reload = async (): Promise<void> => {
    try {
      const fresh = await read(path);
      if (fresh === text && refused === undefined) return;
      const parsed = parse(path, fresh);
      const changed = fresh !== text;
      text = fresh;
      settings = parsed;
      refused = undefined;
      valid.set(1);
      if (!changed) return;
      reloads.inc({ result: "accepted" });
      log.info({ path }, "the settings file changed; the new settings are in force");
      for (const handler of handlers) handler(settings);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Once for each new reason, not with every look.
      if (signal.aborted || reason === refused) return;
      refused = reason;
      valid.set(0);
      reloads.inc({ result: "refused" });
      log.error({ path, reason }, "the settings file cannot be used; the last valid settings stay in force");
    }
  };

  let running: Promise<void> = Promise.resolve();
  const look = (): void => {
    running = running.then(reload);
  };
  const watcher = watch(dirname(path), look);
  watcher.on("error", (error) =>
    log.warn({ err: error, path }, "the settings folder cannot be watched; it is read every 10 s"),
  );
  const timer = setInterval(look, REREAD_MS);
  const stop = (): void => {
    watcher.close();
    clearInterval(timer);
  };
  // What changed between the first read and the watch.
  look();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });

  return { current: () => settings, onChange: (handler) => void handlers.push(handler) };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const remedy =
      code === "ENOENT" ? "create it, or name another with --settings" : "make it readable for the operator";
    throw new SettingsError(`the settings file ${path} cannot be read (${code}); ${remedy}`, {
      cause: error,
    });
  }
}

function parse(path: string, text: string): AdministratorSettings {
  try {
    return parseAdministratorSettings(text);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(`the settings file ${path} is not valid: ${error.message}`);
  }
}
