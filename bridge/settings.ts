import * as z from "zod";
import { MOUNTS, PORTS } from "../contract/endpoints.ts";

const port = z.coerce.number().int().min(0).max(65_535);

const environment = z.object({
  POD_NAME: z.string().default("local"),
  CONFIG_DIR: z.string().default(MOUNTS.config),
  RUNTIME_DIR: z.string().default(MOUNTS.runtime),
  LISTEN_HOST: z.string().default("0.0.0.0"),
  TRAFFIC_PORT: port.default(PORTS.traffic),
  ADMIN_PORT: port.default(PORTS.admin),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  FILE_POLL_MS: z.coerce.number().int().min(50).default(10_000),
});

/** What the process learns from its environment. Everything else comes from the mounted files. */
export interface Settings {
  /** Name of the pod; appears in logs and status only. Default `local`. */
  readonly podName: string;
  /** Directory of config.json. Default MOUNTS.config. */
  readonly configDir: string;
  /** Directory of runtime.json. Default MOUNTS.runtime. */
  readonly runtimeDir: string;
  /** Address to listen on. Default 0.0.0.0. */
  readonly host: string;
  /** Ports; 0 takes a free one (tests). Defaults PORTS. */
  readonly trafficPort: number;
  readonly adminPort: number;
  readonly logLevel: string;
  /** How often mounted files are compared, besides the file system's own notices. Default 10 s. */
  readonly filePollMs: number;
}

/**
 * Reads the environment.
 * @throws Error naming the variable and what it may hold.
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? "environment");
    throw new Error(
      `environment variable ${name}: ${JSON.stringify(env[name])} is not valid (${issue?.message}); correct it or leave it out.`,
    );
  }
  const values = parsed.data;
  return {
    podName: values.POD_NAME,
    configDir: values.CONFIG_DIR,
    runtimeDir: values.RUNTIME_DIR,
    host: values.LISTEN_HOST,
    trafficPort: values.TRAFFIC_PORT,
    adminPort: values.ADMIN_PORT,
    logLevel: values.LOG_LEVEL,
    filePollMs: values.FILE_POLL_MS,
  };
}
