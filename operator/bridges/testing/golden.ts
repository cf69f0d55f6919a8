import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { FILES } from "../../../contract/endpoints.ts";
import { type LLMBridgeSpec, type LLMBridgeSpecInput, llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { TEMPLATE_KEY } from "../desired/configmaps.ts";
import { revisionName, runtimeName } from "../names.ts";
import type { ChildObject } from "../plan.ts";
import { revisionHash } from "../revision.ts";
import { World } from "./world.ts";

/** What a version of the operator made of a spec: one file a case, in a folder named after the version. */
export interface Golden {
  /** As a person writes it. */
  readonly spec: LLMBridgeSpecInput;
  /** As the API server has kept it since that version: with the defaults of then. */
  readonly stored: LLMBridgeSpec;
  readonly revision: string;
  readonly rendered: Rendered;
}

/** What never changes of a revision, and the numbers that it started with. */
export interface Rendered {
  readonly config: string;
  readonly runtime: string;
  readonly deployment: ChildObject;
}

interface ConfigMap extends ChildObject {
  readonly data: Readonly<Record<string, string>>;
}

const FOLDER = join(import.meta.dirname, "golden");
const fileOf = (version: string, name: string) => join(FOLDER, version, `${name}.yaml`);

/** Versions with files, oldest first. */
export const goldenVersions = (): string[] =>
  readdirSync(FOLDER).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

/** Names of the cases of a version; none where it has no files. */
export const goldenCases = (version: string): string[] =>
  goldenVersions().includes(version)
    ? readdirSync(join(FOLDER, version)).map((file) => file.replace(/\.yaml$/, ""))
    : [];

export const readGolden = (version: string, name: string): Golden =>
  parse(readFileSync(fileOf(version, name), "utf8")) as Golden;

/** A bridge of that spec at rest, its first revision rendered by this version of the operator. */
export function worldOf(spec: LLMBridgeSpecInput, version: string): World {
  const world = new World(spec);
  world.rendererVersion = version;
  world.run("1m");
  return world;
}

function configMap(world: World, name: string): ConfigMap {
  const found = world.children.get(`configmaps/${name}`);
  if (!found) throw new Error(`there is no ConfigMap ${name}`);
  return found.object as ConfigMap;
}

/** The revision's rendering, as its ConfigMaps keep it. */
export function renderedIn(world: World, revision: string): Rendered {
  const data = (name: string) => configMap(world, name).data;
  const fixed = data(revisionName("chat", revision));
  return {
    config: fixed[FILES.config] ?? "",
    runtime: data(runtimeName("chat", revision))[FILES.runtime] ?? "",
    deployment: JSON.parse(fixed[TEMPLATE_KEY] ?? "") as ChildObject,
  };
}

/** Puts what another version rendered in the place of what this one did, as an upgraded operator finds it. */
export function replaceRendered(
  world: World,
  revision: string,
  { config, runtime, deployment }: Rendered,
): void {
  const put = (name: string, data: ConfigMap["data"]) => {
    const object: ConfigMap = { ...configMap(world, name), data };
    world.children.set(`configmaps/${name}`, { resource: "configmaps", object });
  };
  const name = revisionName("chat", revision);
  put(name, { [FILES.config]: config, [TEMPLATE_KEY]: JSON.stringify(deployment) });
  put(runtimeName("chat", revision), { [FILES.runtime]: runtime });
  const before = world.deployments.get(name);
  if (!before) throw new Error(`there is no Deployment ${name}`);
  const { spec } = deployment as unknown as { spec: object };
  world.deployments.set(name, { ...before, spec: { ...spec, replicas: before.spec.replicas } });
}

/**
 * Writes the files of this version: the cases of the newest that has any, rendered anew. Never writes another revision or another
 * stored spec over one that stands there: those are what clusters hold, and no release may change them.
 */
export function writeGoldens(version: string): void {
  const from = goldenCases(version).length > 0 ? version : goldenVersions().at(-1);
  if (from === undefined) throw new Error("there is no case; write a file that has a spec only");
  mkdirSync(join(FOLDER, version), { recursive: true });
  for (const name of goldenCases(from)) {
    const { spec, stored, revision }: Partial<Golden> & Pick<Golden, "spec"> = readGolden(from, name);
    const parsed = llmBridgeSpec.parse(spec);
    const rendered = renderedIn(worldOf(spec, version), revisionHash(parsed));
    const golden = { spec, stored: stored ?? parsed, revision: revision ?? revisionHash(parsed), rendered };
    writeFileSync(fileOf(version, name), stringify(golden, { aliasDuplicateObjects: false, lineWidth: 0 }));
  }
}
