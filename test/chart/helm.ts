import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

export const CHART = join(import.meta.dirname, "../../charts/llmbridge-operator");

/** A rendered or stored object, as far as these suites look at it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The helm of the tool cache, with a home of its own so that nobody's repositories or plugins matter. */
export interface Helm {
  /** Runs helm; throws with what it wrote to stderr. */
  run(args: readonly string[]): Promise<string>;
  /** Renders the chart as release `llmb` in namespace `operators`. */
  template(values?: object): Promise<readonly Manifest[]>;
  /** Writes values to a file and gives its path. */
  valuesFile(values: object): string;
  close(): void;
}

export function helm(binary: string, kubeconfigPath: string): Helm {
  const home = mkdtempSync(join(tmpdir(), "helm-"));
  let files = 0;
  const environment = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfigPath };
  const run: Helm["run"] = async (args) =>
    (await promisify(execFile)(binary, [...args], { env: environment, maxBuffer: 1 << 26 })).stdout;
  const valuesFile: Helm["valuesFile"] = (values) => {
    files += 1;
    const path = join(home, `values-${files}.json`);
    writeFileSync(path, JSON.stringify(values));
    return path;
  };
  return {
    run,
    valuesFile,
    async template(values = {}) {
      const text = await run([
        "template",
        "llmb",
        CHART,
        "--namespace",
        "operators",
        "--values",
        valuesFile(values),
      ]);
      const documents = parseAllDocuments(text);
      return Array.isArray(documents) ? documents.map((one) => one.toJS() as Manifest).filter(Boolean) : [];
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}
