import type { Logger } from "pino";
import type { BridgeConfig } from "../../contract/config.ts";
import type { AnswerCache } from "../cache/cache.ts";
import type { Connections } from "../lifecycle/connections.ts";
import type { Ledger } from "../metrics/account.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Catalog } from "../upstreams/catalog.ts";
import type { Workers } from "../workers/workers.ts";
import type { UsageMeter } from "./meter.ts";
import type { TenantNames } from "./tenant.ts";

/** What answering a request needs; made once by main.ts. */
export interface Service {
  readonly revision: string;
  readonly limits: BridgeConfig["limits"];
  /** How long a client may leave our bytes unread before it is given up, in milliseconds. */
  readonly stallMs: number;
  readonly catalog: Catalog;
  readonly cache: AnswerCache;
  readonly workers: Pick<Workers, "compress">;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly connections: Connections;
  readonly tenants: TenantNames;
  /** Absent where no usage is recorded: then nothing looks for it in answers. */
  readonly meter: UsageMeter | undefined;
  readonly log: Logger;
}
