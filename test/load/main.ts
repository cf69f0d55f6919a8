// Sends load and reports it: node test/load/main.ts --url http://host:8080 --rps 300 --seconds 60 [--json]
// Ends with status 1 when a request failed or was cut.
import { parseArgs } from "node:util";
import { formatReport } from "./format.ts";
import { startLoad } from "./load.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    rps: { type: "string", default: "50" },
    seconds: { type: "string", default: "30" },
    model: { type: "string", default: "m" },
    "stream-share": { type: "string", default: "0.2" },
    "embedding-share": { type: "string", default: "0.05" },
    "fresh-share": { type: "string", default: "0.3" },
    "repeat-share": { type: "string", default: "0.1" },
    "long-streams": { type: "string", default: "0" },
    "long-stream-seconds": { type: "string", default: "60" },
    agents: { type: "string", default: "0" },
    "timeout-ms": { type: "string", default: "30000" },
    seed: { type: "string", default: "1" },
    "any-answer": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
if (values.url === undefined) {
  console.error("--url: missing; give the bridge's address, for example --url http://127.0.0.1:8080.");
  process.exit(2);
}
const load = startLoad({
  url: values.url,
  rps: Number(values.rps),
  model: values.model,
  streamShare: Number(values["stream-share"]),
  embeddingShare: Number(values["embedding-share"]),
  freshShare: Number(values["fresh-share"]),
  repeatShare: Number(values["repeat-share"]),
  longStreams: Number(values["long-streams"]),
  longStreamSeconds: Number(values["long-stream-seconds"]),
  agents: Number(values.agents),
  timeoutMs: Number(values["timeout-ms"]),
  seed: Number(values.seed),
  verifyEcho: !values["any-answer"],
});
const interrupted = new Promise<void>((resolve) => process.once("SIGINT", resolve));
await Promise.race([
  interrupted,
  new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000)),
]);
const report = await load.stop();
console.log(values.json ? JSON.stringify(report, undefined, 2) : formatReport(report));
process.exit(report.failed === 0 ? 0 : 1);
