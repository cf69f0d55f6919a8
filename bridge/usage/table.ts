import type { ClientBase } from "pg";
import type { Batch, TimedRecord } from "./record.ts";

/** Where records go. */
const USAGE_TABLE = "llmbridge_usage";

/** Key of the advisory lock under which the table is made: `create table if not exists` is not safe against itself. */
const CREATE_LOCK = 0x11_4b_72_1d;

const CREATE = `
create table if not exists ${USAGE_TABLE} (
  batch uuid not null,
  row integer not null,
  at timestamptz not null,
  bridge text not null,
  revision text not null,
  tenant text not null,
  route text not null,
  model text not null,
  upstream text not null,
  prompt_tokens bigint not null,
  completion_tokens bigint not null,
  status integer not null,
  duration_ms double precision not null,
  cache text not null,
  primary key (batch, row)
);
create index if not exists ${USAGE_TABLE}_tenant_at on ${USAGE_TABLE} (tenant, at);
`;

/** One array a column keeps the statement the same for every batch size, so that it is prepared once a connection. */
const INSERT = `
insert into ${USAGE_TABLE}
  (batch, row, at, bridge, revision, tenant, route, model, upstream, prompt_tokens, completion_tokens, status, duration_ms, cache)
select $1::uuid, row, to_timestamp(at / 1000), $2::text, $3::text, tenant, route, model, upstream, prompt, completion, status, ms, cache
from unnest($4::int[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::int[], $13::float8[], $14::text[])
  as t(row, at, tenant, route, model, upstream, prompt, completion, status, ms, cache)
on conflict do nothing
`;

/** Makes the table where it is missing; many pods may do so at once, and a user without the right to create may use an existing one. */
export async function ensureUsageTable(client: ClientBase): Promise<void> {
  const found = await client.query<{ found: boolean }>(`select to_regclass($1) is not null as found`, [
    USAGE_TABLE,
  ]);
  if (found.rows[0]?.found) return;
  await client.query("begin");
  try {
    await client.query("select pg_advisory_xact_lock($1)", [CREATE_LOCK]);
    await client.query(CREATE);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** Writes a batch in one statement; writing it again changes nothing. */
export async function insertBatch(
  client: ClientBase,
  owner: { readonly bridge: string; readonly revision: string },
  batch: Batch,
): Promise<void> {
  const column = <T>(pick: (record: TimedRecord, row: number) => T): T[] => batch.records.map(pick);
  await client.query({
    name: "llmbridge-usage",
    text: INSERT,
    values: [
      batch.id,
      owner.bridge,
      owner.revision,
      column((_record, row) => row),
      column((record) => record.atMs),
      column((record) => storable(record.tenant)),
      column((record) => record.route),
      column((record) => storable(record.model)),
      column((record) => storable(record.upstream)),
      column((record) => Math.round(record.promptTokens)),
      column((record) => Math.round(record.completionTokens)),
      column((record) => record.status),
      column((record) => record.durationMs),
      column((record) => record.cache),
    ],
  });
}

/** Postgres refuses NUL in text; callers choose tenant and model, and one such name must not cost a batch. */
function storable(text: string): string {
  return text.replaceAll("\0", "").slice(0, 512);
}
