import { Redis } from "ioredis";
import pg from "pg";
import type { KubeClient } from "../../operator/kube/client.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { LocalCluster } from "../cluster/cluster.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { startRedis } from "../servers/redis.ts";
import { sample } from "./sampler.ts";

/** Connections that a server has open for others than the test. */
export interface ConnectionCount {
  readonly atMs: number;
  readonly postgres: number;
  readonly redis: number;
}

/** A real Postgres and a real Redis on this machine, as pods of the cluster reach them, with their connections counted at the server. */
export interface Backends {
  /** URL for a user of Postgres. */
  postgresUrl(user?: string): string;
  /** URL for a user of Redis; without one the default user, who needs no password. */
  redisUrl(user?: string): string;
  /** Every count so far, oldest first, one in 200 ms. */
  readonly counts: readonly ConnectionCount[];
  /** Users of Postgres with open connections, and how many each has. */
  postgresUsers(): Promise<Record<string, number>>;
  redisUsers(): Promise<Record<string, number>>;
  /** Adds a user to both servers that may do what the bridge does. */
  addUser(name: string): Promise<void>;
  query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]>;
  close(): Promise<void>;
}

const COUNT_EVERY_MS = 200;
const WATCHER = "llmbridge-test-watcher";

export async function startBackends(cluster: LocalCluster): Promise<Backends> {
  const host = cluster.hostAddress;
  // Pods come with their own addresses, which share the first two numbers with the host's.
  const network = `${host.split(".").slice(0, 2).join(".")}.0.0/16`;
  const [postgres, redis] = await Promise.all([
    startPostgres({ host, trust: [network], maxConnections: 100 }),
    startRedis({ host }),
  ]);
  const watcher = new pg.Client({ connectionString: postgres.url, application_name: WATCHER });
  await watcher.connect();
  const redisWatcher = new Redis(redis.url, { connectionName: WATCHER });

  const postgresUsers = async (): Promise<Record<string, number>> => {
    const { rows } = await watcher.query<{ usename: string; count: number }>(
      `select usename, count(*)::int as count from pg_stat_activity
       where backend_type = 'client backend' and application_name <> '${WATCHER}' group by usename`,
    );
    return Object.fromEntries(rows.map((row) => [row.usename, row.count]));
  };
  const redisUsers = async (): Promise<Record<string, number>> => {
    const clients = String(await redisWatcher.client("LIST"))
      .trim()
      .split("\n");
    const users: Record<string, number> = {};
    for (const line of clients.filter((one) => !one.includes(`name=${WATCHER}`))) {
      const user = /\buser=(\S+)/.exec(line)?.[1] ?? "unknown";
      users[user] = (users[user] ?? 0) + 1;
    }
    return users;
  };
  const sum = (users: Record<string, number>) => Object.values(users).reduce((all, one) => all + one, 0);
  const counts: ConnectionCount[] = [];
  const sampler = sample(COUNT_EVERY_MS, async () => {
    const [inPostgres, inRedis] = await Promise.all([postgresUsers(), redisUsers()]);
    counts.push({ atMs: Date.now(), postgres: sum(inPostgres), redis: sum(inRedis) });
  });

  return {
    postgresUrl: (user = "postgres") => urlOf(postgres, user),
    redisUrl: (user) =>
      user === undefined ? redis.url : redis.url.replace("redis://", `redis://${user}:${user}@`),
    counts,
    postgresUsers,
    redisUsers,
    async addUser(name) {
      await watcher.query(`create role ${name} login superuser`);
      await redisWatcher.call("ACL", "SETUSER", name, "on", `>${name}`, "~*", "&*", "+@all");
    },
    query: async (text) => (await watcher.query(text)).rows,
    async close() {
      await sampler.stop().finally(async () => {
        await watcher.end();
        redisWatcher.disconnect();
        await Promise.all([postgres.stop(), redis.stop()]);
      });
    },
  };
}

function urlOf({ host, port }: PostgresServer, user: string): string {
  return `postgres://${user}@${host}:${port}/postgres`;
}

/** Creates or changes a Secret with one key, `url`. */
export async function applySecret(
  client: KubeClient,
  namespace: string,
  name: string,
  url: string,
): Promise<void> {
  const data = { url: Buffer.from(url).toString("base64") };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, data };
  await client.apply(resources.secrets, secret, { fieldManager: "llmbridge-test" });
}
