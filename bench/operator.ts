/**
 * The operator against Argo Rollouts on one control plane in one run: real etcd, API server, controllers and scheduler, with nodes
 * played by kwok. `node bench/operator.ts [objects] [pods per bridge] [--only=PART,...] [--edits=N]
 * [--soak=MINUTES] [--storm=N] [--storm-minutes=N] [--write]`; EDITS says the same as `--edits`.
 *
 * Counts come from the API server's audit log and memory and CPU from /proc, never from the contestants themselves. Edits go to both in
 * turns, so that whatever else the machine does hits both alike. `--write` puts the rows into docs/performance.md, each part's as it ends,
 * in place of those that were there of the same name.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { resources } from "../operator/kube/resources.ts";
import { createProgress } from "../tools/setup/progress.ts";
import { type Bed, openBed } from "./operator/bed.ts";
import { argoRollouts, llmbridge } from "./operator/contestants.ts";
import { ARGO_ROLLOUTS, allReady, BRIDGES, createMany, NAMESPACE } from "./operator/objects.ts";
import { editsOf, OF_BOTH, PARTS, type Part, partsOf } from "./operator/parts.ts";
import { type Run, type Side, startOne } from "./operator/run.ts";
import { createTable } from "./operator/table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    edits: { type: "string" },
    storm: { type: "string", default: "0" },
    "storm-minutes": { type: "string", default: "180" },
    soak: { type: "string", default: "0" },
    write: { type: "boolean", default: false },
  },
});
const objects = Number(positionals[0] ?? 1_000);
const podsPerBridge = Number(positionals[1] ?? 20);
const [storm, soakMinutes] = [Number(values.storm), Number(values.soak)];
const stormMinutes = Number(values["storm-minutes"]);
const READY_WITHIN_MS = 3_600_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });

async function main(): Promise<void> {
  const parts = partsOf(values.only, { storm, soakMinutes });
  const edits = editsOf(values.edits ?? process.env.EDITS, objects);
  const bed = await openBed(progress);
  const sides: Side[] = [];
  try {
    for (const name of [NAMESPACE, "bench-system", "argo-rollouts"]) await makeNamespace(bed, name);
    const ours = await start(bed, "Ours");
    sides.push(ours);
    const peers = parts.some((part) => OF_BOTH.has(part)) ? await start(bed, "Peers") : undefined;
    if (peers) sides.push(peers);
    await Promise.race([measure(parts, { bed, ours, peers, edits }), interruption()]);
  } finally {
    for (const side of sides) {
      await side.process.stop();
      side.contestant.remove();
    }
    await bed.down();
  }
}

/** Rejects on Ctrl-C and SIGTERM, so that what was started is ended and not left running. */
const interruption = (): Promise<never> =>
  new Promise((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => reject(new Error(`${signal}: ended before all was measured`)));
  });

async function start(bed: Bed, who: "Ours" | "Peers"): Promise<Side> {
  const contestant = await (who === "Ours" ? llmbridge(bed) : argoRollouts(bed));
  const kind = who === "Ours" ? BRIDGES : ARGO_ROLLOUTS;
  return { contestant, kind, process: await startOne(contestant), version: 2 };
}

async function makeNamespace(bed: Bed, name: string): Promise<void> {
  await bed.client.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

async function measure(
  parts: readonly Part[],
  sides: Pick<Run, "bed" | "ours" | "peers" | "edits">,
): Promise<void> {
  const { ours, peers } = sides;
  const size = `${objects.toLocaleString("en")} x ${podsPerBridge}`;
  const table = createTable(ours.contestant.title, peers?.contestant.title ?? "Argo Rollouts", size, say);
  const run: Run = { ...sides, objects, storm, stormMinutes, soakMinutes, table, say };
  let isFilled = false;
  for (const part of parts) {
    if (PARTS[part].needsObjects && !isFilled) {
      await fill(run);
      isFilled = true;
    }
    await PARTS[part].measure(run);
    if (values.write) table.writeTo("docs/performance.md");
  }
  say(`\n${table.text()}`);
}

async function fill({ bed, ours, peers }: Run): Promise<void> {
  say(`${objects} objects each: ${podsPerBridge} pods per bridge, 1 per rollout`);
  for (const side of [ours, peers]) {
    if (!side) continue;
    const startedMs = Date.now();
    await createMany(bed.client, side.kind, objects, side === ours ? podsPerBridge : 1);
    await allReady(bed.client, side.kind, objects, READY_WITHIN_MS);
    const seconds = ((Date.now() - startedMs) / 1_000).toFixed(0);
    say(`  every ${side.kind.resource.kind} ready after ${seconds} s`);
  }
  await delay(20_000);
}

await main().catch((error: unknown) => {
  say(`error: ${error instanceof Error ? error.message : String(error)}`);
  // What is still being measured asks servers that are gone.
  process.exit(1);
});
