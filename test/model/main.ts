// The model stand-in as a process: node test/model/main.ts --port 9000 [--host 0.0.0.0] [--models a,b] [--knobs '{"delayMs":5}']
import { parseArgs } from "node:util";
import type { Knobs } from "./knobs.ts";
import { startModel } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "9000" },
    host: { type: "string", default: "127.0.0.1" },
    models: { type: "string", default: "m" },
    knobs: { type: "string", default: "{}" },
  },
});
const model = await startModel({
  port: Number(values.port),
  host: values.host,
  models: values.models.split(","),
  knobs: JSON.parse(values.knobs) as Partial<Knobs>,
});
// Before anybody is told that it runs: who is told may end it at once.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void model.close().then(() => process.exit(0)));
}
console.log(`model stand-in listens on ${model.url}`);
